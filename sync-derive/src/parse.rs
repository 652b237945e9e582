//! Reads `#[sync(…)]` into what was written, each thing with the place where it stands. It knows the form of every
//! attribute, not what it means for the model.

use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, MetaList, Path, Token, ext::IdentExt,
    punctuated::Punctuated,
};

use crate::{
    attributes::{self, Place},
    errors::Errors,
};

/// How `device_owned` is written.
const DEVICE_OWNED: &str = "device_owned(owner = \"…\")";

/// The attributes on the struct.
#[derive(Default)]
pub(crate) struct ContainerAttributes {
    /// `shared`.
    pub(crate) shared: Option<Meta>,
    /// `device_owned(…)`.
    pub(crate) device_owned: Option<DeviceOwned>,
    /// `otherwise = "…"`.
    pub(crate) otherwise: Option<LitStr>,
    /// `name = "…"`.
    pub(crate) name: Option<LitStr>,
    /// `identity(…)`.
    pub(crate) identity: Option<Columns>,
    /// `natural_key(…)`.
    pub(crate) natural_key: Option<Columns>,
    /// `delete = "…"`.
    pub(crate) delete: Option<LitStr>,
    /// `crate = "…"`.
    pub(crate) krate: Option<Path>,
    /// A name was not understood: what seems to be missing may be what it meant.
    pub(crate) misread: bool,
}

/// `device_owned(owner = "…")`.
#[derive(Default)]
pub(crate) struct DeviceOwned {
    /// The path; without it the mistake is reported already.
    pub(crate) owner: Option<LitStr>,
}

/// `identity("…", "…")` or `natural_key("…")`.
pub(crate) struct Columns {
    /// The whole, for messages.
    pub(crate) written: Meta,
    /// The columns in written order.
    pub(crate) names: Vec<LitStr>,
}

/// The attributes on a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    /// `id`.
    pub(crate) id: Option<Meta>,
    /// `skip`.
    pub(crate) skip: Option<Meta>,
    /// `merge = "…"`.
    pub(crate) merge: Option<LitStr>,
    /// `group = "…"`.
    pub(crate) group: Option<LitStr>,
    /// A name was not understood.
    pub(crate) misread: bool,
}

impl ContainerAttributes {
    /// Reads the struct's attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut read = Self::default();
        for meta in metas(attributes, &mut read.misread, errors) {
            read.take(&meta, errors);
        }
        read
    }

    fn take(&mut self, meta: &Meta, errors: &mut Errors) {
        let name = name_of(meta);
        match name.as_str() {
            "shared" => {
                let flag = flag(meta, errors);
                put(&mut self.shared, Some(flag), meta, errors);
            }
            "device_owned" => {
                let owned = DeviceOwned::read(meta, errors);
                put(&mut self.device_owned, Some(owned), meta, errors);
            }
            "otherwise" => {
                let text = text(meta, "otherwise = \"shared\"", errors);
                put(&mut self.otherwise, text, meta, errors);
            }
            "name" => {
                let text = text(meta, "name = \"…\"", errors);
                put(&mut self.name, text, meta, errors);
            }
            "identity" => {
                let columns = Columns::read(meta, "identity(\"…\", \"…\")", errors);
                put(&mut self.identity, columns, meta, errors);
            }
            "natural_key" => {
                let columns = Columns::read(meta, "natural_key(\"…\")", errors);
                put(&mut self.natural_key, columns, meta, errors);
            }
            "delete" => {
                let text = text(meta, "delete = \"wins\" | \"loses\"", errors);
                put(&mut self.delete, text, meta, errors);
            }
            "crate" => {
                let path = path(meta, errors);
                put(&mut self.krate, path, meta, errors);
            }
            _ => {
                self.misread = true;
                errors.at(meta.path(), attributes::unknown(&name, Place::Container));
            }
        }
    }
}

impl FieldAttributes {
    /// Reads a field's attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut read = Self::default();
        for meta in metas(attributes, &mut read.misread, errors) {
            read.take(&meta, errors);
        }
        read
    }

    fn take(&mut self, meta: &Meta, errors: &mut Errors) {
        let name = name_of(meta);
        match name.as_str() {
            "id" => {
                let flag = flag(meta, errors);
                put(&mut self.id, Some(flag), meta, errors);
            }
            "skip" => {
                let flag = flag(meta, errors);
                put(&mut self.skip, Some(flag), meta, errors);
            }
            "merge" => {
                let text = text(meta, "merge = \"…\"", errors);
                put(&mut self.merge, text, meta, errors);
            }
            "group" => {
                let text = text(meta, "group = \"…\"", errors);
                put(&mut self.group, text, meta, errors);
            }
            _ => {
                self.misread = true;
                errors.at(meta.path(), attributes::unknown(&name, Place::Field));
            }
        }
    }
}

impl DeviceOwned {
    fn read(meta: &Meta, errors: &mut Errors) -> Self {
        let mut read = Self::default();
        let Meta::List(list) = meta else {
            errors.at(meta, missing_owner());
            return read;
        };
        match inner_metas(list) {
            Ok(metas) if metas.is_empty() => errors.at(meta, missing_owner()),
            Ok(metas) => metas.iter().for_each(|inner| read.take(inner, errors)),
            Err(error) => errors.add(error),
        }
        read
    }

    fn take(&mut self, inner: &Meta, errors: &mut Errors) {
        match name_of(inner).as_str() {
            "owner" => {
                let text = text(inner, "owner = \"…\"", errors);
                put(&mut self.owner, text, inner, errors);
            }
            "otherwise" => errors.at(
                inner.path(),
                format!("`otherwise` stands beside: `{DEVICE_OWNED}, otherwise = \"shared\"`"),
            ),
            other => errors.at(
                inner.path(),
                format!("unknown attribute `{other}`; `device_owned` takes `owner = \"…\"`"),
            ),
        }
    }
}

fn missing_owner() -> String {
    format!("`device_owned` needs the column that leads to the device: `{DEVICE_OWNED}`")
}

impl Columns {
    fn read(meta: &Meta, usage: &str, errors: &mut Errors) -> Option<Self> {
        let wrong = format!("expected column names: `{usage}`");
        let Meta::List(list) = meta else {
            errors.at(meta, wrong);
            return None;
        };
        match list.parse_args_with(Punctuated::<LitStr, Token![,]>::parse_terminated) {
            Ok(names) if names.is_empty() => errors.at(meta, wrong),
            Ok(names) => {
                return Some(Self { written: meta.clone(), names: names.into_iter().collect() });
            }
            Err(error) => errors.add(syn::Error::new(error.span(), wrong)),
        }
        None
    }
}

/// Everything between the parentheses of every `#[sync(…)]`.
fn metas(attributes: &[Attribute], misread: &mut bool, errors: &mut Errors) -> Vec<Meta> {
    let mut all = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("sync") {
            continue;
        }
        match &attribute.meta {
            Meta::List(list) => match inner_metas(list) {
                Ok(metas) => all.extend(metas),
                Err(error) => {
                    *misread = true;
                    errors.add(error);
                }
            },
            other => {
                *misread = true;
                errors.at(other, "write the attributes in parentheses: `#[sync(…)]`");
            }
        }
    }
    all
}

fn inner_metas(list: &MetaList) -> Result<Punctuated<Meta, Token![,]>, syn::Error> {
    list.parse_args_with(Punctuated::parse_terminated)
}

/// Fills a slot once. `value` is `None` when a mistake in it is reported already.
fn put<T>(slot: &mut Option<T>, value: Option<T>, meta: &Meta, errors: &mut Errors) {
    if slot.is_some() {
        errors.at(meta, format!("`{}` is given twice", name_of(meta)));
    } else {
        *slot = value;
    }
}

fn name_of(meta: &Meta) -> String {
    let words: Vec<String> =
        meta.path().segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
    words.join("::")
}

fn flag(meta: &Meta, errors: &mut Errors) -> Meta {
    if !matches!(meta, Meta::Path(_)) {
        errors.at(meta, format!("`{}` takes no value", name_of(meta)));
    }
    // What was meant is plain: taking it keeps the message alone.
    meta.clone()
}

fn text(meta: &Meta, usage: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Meta::NameValue(pair) = meta
        && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
    {
        return Some(text.clone());
    }
    errors.at(meta, format!("expected a string: `{usage}`"));
    None
}

fn path(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    let text = text(meta, "crate = \"path::to::sync_kit\"", errors)?;
    match text.parse_with(Path::parse_mod_style) {
        Ok(path) => Some(path),
        Err(_) => {
            errors.at(&text, format!("`{}` is no path to a crate or module", text.value()));
            None
        }
    }
}

/// The first of the attributes that is ours.
pub(crate) fn ours(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| attribute.path().is_ident("sync"))
}

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
