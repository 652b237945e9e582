//! The tables of what `#[sync(…)]` takes, and the messages that are made from them.

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the struct.
    Container,
    /// On a field.
    Field,
}

/// One attribute as a reader would write it.
struct Attribute {
    name: &'static str,
    usage: &'static str,
    place: Place,
}

const fn on_container(name: &'static str, usage: &'static str) -> Attribute {
    Attribute { name, usage, place: Place::Container }
}

const fn on_field(name: &'static str, usage: &'static str) -> Attribute {
    Attribute { name, usage, place: Place::Field }
}

/// Everything that is accepted.
const KNOWN: &[Attribute] = &[
    on_container("shared", "shared"),
    on_container("device_owned", "device_owned(owner = \"…\")"),
    on_container("otherwise", "otherwise = \"shared\""),
    on_container("name", "name = \"…\""),
    on_container("identity", "identity(\"…\", \"…\")"),
    on_container("natural_key", "natural_key(\"…\")"),
    on_container("delete", "delete = \"wins\" | \"loses\""),
    on_container("crate", "crate = \"…\""),
    on_field("id", "id"),
    on_field("skip", "skip"),
    on_field("merge", "merge = \"lww\" | \"counter\" | \"max\" | \"min\" | \"set\""),
    on_field("group", "group = \"…\""),
];

/// Everything that has a name already, but no meaning yet.
const LATER: &[&str] = &["tree", "partition", "keep_conflicts", "renamed_from"];

/// What the message for a name that does not stand in [`KNOWN`] at this place says.
pub(crate) fn unknown(name: &str, place: Place) -> String {
    if LATER.contains(&name) {
        return format!("`{name}` is not supported yet");
    }
    if let Some(elsewhere) = KNOWN.iter().find(|known| known.name == name) {
        return match elsewhere.place {
            Place::Container => format!("`{name}` stands on the struct, not on a field"),
            Place::Field => format!("`{name}` stands on a field, not on the struct"),
        };
    }
    let (taker, known): (_, Vec<&Attribute>) = match place {
        Place::Container => ("a struct", here(place)),
        Place::Field => ("a field", here(place)),
    };
    let hint = did_you_mean(name, known.iter().map(|known| known.name));
    let usages: Vec<String> = known.iter().map(|known| format!("`{}`", known.usage)).collect();
    format!("unknown attribute `{name}`; {taker} takes {}{hint}", usages.join(", "))
}

fn here(place: Place) -> Vec<&'static Attribute> {
    KNOWN.iter().filter(|known| known.place == place).collect()
}

/// `; did you mean …?` when one of `known` is close enough to `name`, else nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let bound = name.chars().count() / 3 + 1;
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}

/// Levenshtein's edit distance, one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        for (to, pair) in right.iter().zip(row.windows(2)) {
            let (&[diagonal, above], Some(&before)) = (pair, next.last()) else {
                continue;
            };
            let replaced = diagonal + usize::from(from != *to);
            next.push(replaced.min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_insertions_removals_and_replacements() {
        let cases =
            [("", "", 0), ("id", "id", 0), ("ids", "id", 1), ("", "skip", 4), ("kitten", "sitting", 3)];
        for (left, right, expected) in cases {
            assert_eq!(distance(left, right), expected, "{left} → {right}");
        }
    }

    #[test]
    fn a_hint_is_given_for_close_names_only() {
        let known = ["shared", "delete"];
        assert_eq!(did_you_mean("sharde", known), "; did you mean `shared`?");
        assert_eq!(did_you_mean("partitioned", known), "");
    }
}
