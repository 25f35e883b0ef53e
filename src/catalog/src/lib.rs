//! A spanned RON reader used for every data file.
