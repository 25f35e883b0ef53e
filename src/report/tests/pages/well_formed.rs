//! Whether a page's tags fit together.

/// Elements of HTML that have no end tag.
const VOID: [&str; 2] = ["meta", "img"];

/// Panics where an end tag does not meet its start tag, an attribute is given twice or an inline
/// drawing is not XML.
pub fn check(page: &str) {
    let rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(rest) {
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in {open:?}");
            continue;
        }
        let name = tag.split_whitespace().next().expect("a name");
        check_attributes(&tag[name.len()..]);
        if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    check_drawings(page);
}

/// What stands between `<` and `>`; what a quote holds belongs to its tag. Style sheets are skipped.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(from) = rest.find('<') {
        rest = &rest[from + 1..];
        let mut is_quoted = false;
        let end = rest.find(|c| {
            is_quoted ^= c == '"';
            c == '>' && !is_quoted
        });
        let end = end.expect("an end of the tag");
        tags.push(&rest[..end]);
        if &rest[..end] == "style" {
            let skipped = rest.find("</style>").expect("an end of the style sheet");
            rest = &rest[skipped..];
        } else {
            rest = &rest[end + 1..];
        }
    }
    tags
}

fn check_attributes(text: &str) {
    let outside_quotes: String = text.split('"').step_by(2).collect();
    let mut names: Vec<&str> = outside_quotes.split(['=', ' ', '/']).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert!(twice.is_none(), "{twice:?} in {text}");
}

fn check_drawings(page: &str) {
    for part in page.split("<svg").skip(1) {
        let end = part.find("</svg>").expect("an end of the drawing");
        let drawing = format!("<svg{}</svg>", &part[..end]);
        let document = roxmltree::Document::parse(&drawing)
            .unwrap_or_else(|error| panic!("{error}: {drawing}"));
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            for name in [
                "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height",
            ] {
                let number = node.attribute(name).map(str::parse::<f64>);
                assert!(
                    number.is_none_or(|n| n.is_ok_and(f64::is_finite)),
                    "{name} in {drawing}"
                );
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let bad = [
        "<p><b></p></b>",
        "<p>",
        "<p class=\"a\" class=\"b\"></p>",
        "<svg><path d=\"a\"></svg>",
        "<svg><rect width=\"NaN\"></rect></svg>",
    ];
    for body in bad {
        let page = format!("<!DOCTYPE html>{body}");
        assert!(std::panic::catch_unwind(|| check(&page)).is_err(), "{body}");
    }
    check("<!DOCTYPE html><style>a > b {}</style><p title=\"a > b\"><img src=\"x\"></p>");
}
