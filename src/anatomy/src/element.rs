//! The chemical elements, as far as tissues and devices hold them.

use std::fmt;

/// A chemical element, hydrogen (1) to uranium (92). Orders by atomic number.
///
/// ```
/// use anatomy::element::Element;
/// let iodine = Element::from_symbol("I").expect("iodine is an element");
/// assert_eq!(iodine.atomic_number(), 53);
/// assert_eq!(Element::from_symbol("Xx"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element(u8);

/// Symbols in the order of atomic number.
const SYMBOLS: [&str; 92] = [
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl",
    "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As",
    "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In",
    "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb",
    "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl",
    "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",
];

impl Element {
    /// The element of this symbol, `"Na"`.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let index = SYMBOLS.iter().position(|known| *known == symbol)?;
        u8::try_from(index + 1).ok().map(Self)
    }

    /// The element with so many protons, 1 to 92.
    pub fn from_atomic_number(z: u8) -> Option<Self> {
        (1..=SYMBOLS.len())
            .contains(&usize::from(z))
            .then_some(Self(z))
    }

    /// Number of protons, from 1.
    pub fn atomic_number(self) -> u8 {
        self.0
    }

    /// The symbol, `"Na"`.
    pub fn symbol(self) -> &'static str {
        SYMBOLS[usize::from(self.0) - 1]
    }

    /// All symbols, in the order of atomic number.
    pub fn symbols() -> &'static [&'static str] {
        &SYMBOLS
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_numbers_lead_to_each_other() {
        for z in 1..=92 {
            let element = Element::from_atomic_number(z).unwrap();
            assert_eq!(Element::from_symbol(element.symbol()), Some(element));
            assert_eq!(element.atomic_number(), z);
        }
        assert_eq!(Element::from_atomic_number(0), None);
        assert_eq!(Element::from_atomic_number(93), None);
    }

    #[test]
    fn the_periodic_table_has_its_landmarks() {
        let landmarks = [
            ("O", 8),
            ("Ca", 20),
            ("Fe", 26),
            ("I", 53),
            ("Ta", 73),
            ("Pt", 78),
            ("Au", 79),
        ];
        for (symbol, z) in landmarks {
            assert_eq!(Element::from_symbol(symbol).unwrap().atomic_number(), z);
        }
    }
}
