//! The nearest valid name to a misspelt one.

/// The candidate that `name` was most likely meant to be, or none that is near enough: at most
/// one edit (insertion, deletion, substitution or swap of neighbours) for every three
/// characters, case ignored; failing that, the shortest candidate that begins with `name`; failing
/// that, one of whose words it is.
/// Of equally near candidates the first wins.
///
/// ```
/// assert_eq!(catalog::nearest("livr", ["kidney_left", "liver"]), Some("liver"));
/// assert_eq!(catalog::nearest("kidney", ["kidney_left", "liver"]), Some("kidney_left"));
/// assert_eq!(catalog::nearest("aneurism", ["stenosis", "aortic_aneurysm"]), Some("aortic_aneurysm"));
/// assert_eq!(catalog::nearest("xyz", ["kidney_left", "liver"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = Folded::of(name)?;
    let mut best: Option<(Distance, &str)> = None;
    for candidate in candidates {
        if let Some(distance) = wanted.distance_to(candidate)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits first, then how much longer the candidate is than the beginning it shares, then the edits
/// to one of its words and how much longer it is than that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    Edits(usize),
    Longer(usize),
    Within(usize, usize),
}

/// A name in lower case with its separators made one, and its length in characters.
struct Folded {
    text: String,
    length: usize,
}

impl Folded {
    /// None for what is empty or too long to be a misspelt name (edit distance is quadratic).
    fn of(name: &str) -> Option<Self> {
        const LONGEST_BYTES: usize = 128;
        if name.is_empty() || name.len() > LONGEST_BYTES {
            return None;
        }
        let fold = |c: char| if matches!(c, '-' | ' ') { '_' } else { c };
        let text: String = name.to_lowercase().chars().map(fold).collect();
        let length = text.chars().count();
        Some(Self { text, length })
    }

    fn distance_to(&self, candidate: &str) -> Option<Distance> {
        let candidate = Folded::of(candidate)?;
        let allowed = (self.length.max(candidate.length) / 3).max(1);
        if self.length.abs_diff(candidate.length) <= allowed {
            let edits = strsim::damerau_levenshtein(&self.text, &candidate.text);
            // Replacing every character would turn anything into anything.
            if edits <= allowed && edits < self.length.max(candidate.length) {
                return Some(Distance::Edits(edits));
            }
        }
        let begins = self.length >= 3 && candidate.text.starts_with(&self.text);
        if begins {
            return Some(Distance::Longer(candidate.length - self.length));
        }
        self.edits_to_a_word(&candidate)
            .map(|edits| Distance::Within(edits, candidate.length))
    }

    /// The fewest edits to a word of a name of several; short words are in too many names.
    fn edits_to_a_word(&self, candidate: &Self) -> Option<usize> {
        const SHORTEST: usize = 4;
        let allowed = self.length / 4;
        let words = candidate.text.split('_');
        let edits = words
            .filter(|word| word.chars().count().abs_diff(self.length) <= allowed)
            .map(|word| strsim::damerau_levenshtein(&self.text, word));
        edits
            .min()
            .filter(|edits| self.length >= SHORTEST && *edits <= allowed)
    }
}
