//! What the entries of all data tables share: an id, a name in two languages, no id twice.

use catalog::{Faults, FromNode, Kind, Name, Node, NotEmpty, Rule, ToNode};

catalog::record! {
    /// What a thing is called by people.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DisplayName {
        /// In English.
        pub en: String [NotEmpty],
        /// In Chinese (simplified).
        pub zh: String [NotEmpty],
    }
}

/// The rule for ids: they become file names and command line arguments.
pub(crate) struct Id;

impl Rule<String> for Id {
    fn check(&self, id: &String, node: &Node, faults: &mut Faults) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let holds = !id.is_empty() && id.len() <= 64 && id.chars().all(is_plain);
        if !holds {
            faults.mismatch(node, "an id of at most 64 letters, digits and `_`");
        }
        holds
    }
}

/// Something with an `id` that a file lists.
pub(crate) trait Entry: FromNode + ToNode {
    /// What it is, as faults call it.
    const KIND: &'static str;
}

/// The entries of a file, in its order, no two with the same id.
#[derive(Debug)]
pub(crate) struct Entries<T>(pub Vec<T>);

impl<T: Entry> FromNode for Entries<T> {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        let ids = written_ids(node);
        let distinct = faults.require_distinct(T::KIND, &ids);
        let entries = Vec::from_node(node, faults)?;
        distinct.then_some(Self(entries))
    }
}

impl<T: Entry> ToNode for Entries<T> {
    fn to_node(&self) -> Node {
        self.0.to_node()
    }
}

/// The ids as far as they are texts, whatever else is wrong with the entries.
fn written_ids(list: &Node) -> Vec<Name> {
    let written = |entry: &Node| {
        let id = entry.field("id")?;
        match &id.kind {
            Kind::Text(text) => Some(Name::new(text.clone(), id.span)),
            _ => None,
        }
    };
    list.items().iter().filter_map(written).collect()
}
