//! The recipes that are built in, and the parts they are put together from.

macro_rules! recipes {
    ($($id:literal),* $(,)?) => {
        [$(($id, include_str!(concat!("../../../../assets/patients/", $id, ".ron")))),*]
    };
}

macro_rules! parts {
    ($($id:literal),* $(,)?) => {
        [$(($id, include_str!(concat!("../../../../assets/patients/parts/", $id, ".ron")))),*]
    };
}

/// Name and text of each part.
pub(super) const PARTS: [(&str, &str); 5] =
    parts!["trunk", "abdomen", "heart", "vessels", "coronaries"];

/// Id and text of each, in the order in which they are listed.
pub(super) const ALL: [(&str, &str); 12] = recipes![
    "adult-torso",
    "adult-arterial",
    "phantom-torso",
    "phantom-points",
    "phantom-wires",
    "phantom-speckle",
    "phantom-cyst",
    "phantom-layers",
    "phantom-plates",
    "phantom-bubble",
    "phantom-mirror",
    "phantom-bone",
];
