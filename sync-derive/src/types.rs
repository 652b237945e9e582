//! What the derive can tell about a column from the written Rust type alone. It sees tokens, no definitions: an
//! alias, an enum or a newtype is [`Kind::Other`], and the catalog checks it against SeaORM's metadata.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// Family of a column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any width, signed or not.
    Integer,
    /// `f32`, `f64`.
    Float,
    /// `Decimal`, `BigDecimal`.
    Decimal,
    /// `bool`.
    Bool,
    /// `String`.
    Text,
    /// `Vec<u8>`.
    Bytes,
    /// `Uuid`.
    Uuid,
    /// Dates and times of chrono and time under SeaORM's names and their own.
    Time,
    /// `Json`, `serde_json::Value`.
    Json,
    /// Nothing that tokens tell.
    Other,
}

/// A written type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The family, without the `Option`.
    pub(crate) kind: Kind,
    /// It stands in an `Option`.
    pub(crate) nullable: bool,
}

impl Written {
    /// Reads `ty`.
    pub(crate) fn of(ty: &Type) -> Self {
        match inside_option(ty) {
            Some(inner) => Self { kind: kind(inner), nullable: true },
            None => Self { kind: kind(ty), nullable: false },
        }
    }
}

/// The type as a reader would write it.
pub(crate) fn shown(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// The last word of the type's path, such as `HasMany` of `entity::HasMany<Post>`.
pub(crate) fn last_word(ty: &Type) -> Option<String> {
    last_segment(ty).map(|segment| segment.ident.to_string())
}

fn kind(ty: &Type) -> Kind {
    let Some(segment) = last_segment(ty) else {
        return Kind::Other;
    };
    match segment.ident.to_string().as_str() {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => Kind::Integer,
        "f32" | "f64" => Kind::Float,
        "Decimal" | "BigDecimal" => Kind::Decimal,
        "bool" => Kind::Bool,
        "String" => Kind::Text,
        "Vec" if only_argument(segment).and_then(last_word).as_deref() == Some("u8") => Kind::Bytes,
        "Uuid" => Kind::Uuid,
        "Json" | "JsonValue" | "Value" => Kind::Json,
        "Date"
        | "Time"
        | "DateTime"
        | "DateTimeUtc"
        | "DateTimeLocal"
        | "DateTimeWithTimeZone"
        | "NaiveDate"
        | "NaiveTime"
        | "NaiveDateTime"
        | "ChronoDate"
        | "ChronoTime"
        | "ChronoDateTime"
        | "ChronoDateTimeUtc"
        | "ChronoDateTimeLocal"
        | "ChronoDateTimeWithTimeZone"
        | "TimeDate"
        | "TimeTime"
        | "TimeDateTime"
        | "TimeDateTimeWithTimeZone"
        | "PrimitiveDateTime"
        | "OffsetDateTime" => Kind::Time,
        _ => Kind::Other,
    }
}

fn inside_option(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    if segment.ident == "Option" { only_argument(segment) } else { None }
}

fn only_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(inner)), 1) => Some(inner),
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        // A macro that passes a type on wraps it in an invisible group.
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn families_are_told_from_the_last_word() {
        let cases: Vec<(Type, Kind, bool)> = vec![
            (parse_quote!(i64), Kind::Integer, false),
            (parse_quote!(Option<u8>), Kind::Integer, true),
            (parse_quote!(std::option::Option<uuid::Uuid>), Kind::Uuid, true),
            (parse_quote!(Vec<u8>), Kind::Bytes, false),
            (parse_quote!(Vec<String>), Kind::Other, false),
            (parse_quote!(chrono::DateTime<Utc>), Kind::Time, false),
            (parse_quote!(serde_json::Value), Kind::Json, false),
            (parse_quote!((String)), Kind::Text, false),
            (parse_quote!([u8; 16]), Kind::Other, false),
            (parse_quote!(Status), Kind::Other, false),
        ];
        for (ty, kind, nullable) in cases {
            assert_eq!(Written::of(&ty), Written { kind, nullable }, "{}", shown(&ty));
        }
    }
}
