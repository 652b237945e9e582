//! What SeaORM's own attributes say about table and columns, read as `DeriveEntityModel` of SeaORM 2.0.4 reads
//! them. Mistakes in them are SeaORM's to report: what does not parse is passed over here.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase, ToUpperCamelCase};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta, Token, ext::IdentExt, punctuated::Punctuated};

/// SeaORM's attributes on the struct.
#[derive(Default)]
pub(crate) struct TableAttributes {
    /// `table_name = "…"` is there.
    pub(crate) has_table: bool,
    rename_all: Option<String>,
}

/// SeaORM's attributes on a field.
#[derive(Default)]
pub(crate) struct ColumnAttributes {
    /// `primary_key` is there.
    pub(crate) primary_key: bool,
    /// `ignore` is there: the field is no column.
    pub(crate) ignored: bool,
    column_name: Option<String>,
    enum_name: Option<String>,
}

impl TableAttributes {
    /// Reads the struct's attributes.
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut table = Self::default();
        for meta in metas(attributes) {
            if meta.path().is_ident("table_name") {
                table.has_table = true;
            } else if meta.path().is_ident("rename_all") {
                table.rename_all = text(&meta);
            }
        }
        table
    }

    /// Name of the column that SeaORM makes of the field `ident`.
    pub(crate) fn column_of(&self, ident: &Ident, column: &ColumnAttributes) -> String {
        if let Some(name) = &column.column_name {
            return name.clone();
        }
        let written = ident.unraw().to_string();
        let variant = written.to_upper_camel_case();
        if let Some(renamed) = self.rename_all.as_deref().and_then(|style| in_style(&variant, style)) {
            return renamed;
        }
        // A name that does not survive the way through the variant's is given to SeaORM's column as it stands,
        // whatever `enum_name` says.
        if written != variant.to_snake_case() {
            return written.to_snake_case();
        }
        match &column.enum_name {
            Some(name) => name.to_snake_case(),
            None => written,
        }
    }
}

impl ColumnAttributes {
    /// Reads a field's attributes.
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut column = Self::default();
        for meta in metas(attributes) {
            let path = meta.path();
            if path.is_ident("primary_key") {
                column.primary_key = true;
            } else if path.is_ident("ignore") {
                column.ignored = true;
            } else if path.is_ident("column_name") {
                column.column_name = text(&meta);
            } else if path.is_ident("enum_name") {
                column.enum_name = text(&meta);
            }
        }
        column
    }
}

fn metas(attributes: &[Attribute]) -> Vec<Meta> {
    let mut all = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("sea_orm") {
            continue;
        }
        if let Ok(metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
            all.extend(metas);
        }
    }
    all
}

fn text(meta: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// `variant` in one of the styles that `rename_all` knows.
fn in_style(variant: &str, style: &str) -> Option<String> {
    Some(match style {
        "camel_case" | "PascalCase" => variant.to_upper_camel_case(),
        // ASCII or not, heck's lower camel case is the upper one with its first letter lowered.
        "camelCase" | "mixed_case" => variant.to_lower_camel_case(),
        "snake_case" | "snek_case" => variant.to_snake_case(),
        "kebab_case" | "kebab-case" => variant.to_kebab_case(),
        "SCREAMING-KEBAB-CASE" => variant.to_kebab_case().to_uppercase(),
        "shouty_snake_case" | "shouty_snek_case" | "SCREAMING_SNAKE_CASE" => variant.to_shouty_snake_case(),
        "title_case" => variant.to_title_case(),
        "lowercase" => variant.to_lowercase(),
        "UPPERCASE" => variant.to_uppercase(),
        _ => return None,
    })
}
