//! Numbers written as formulas: `"= 12 + 0.8 * (bmi - 22)"`.
//!
//! Operators, from the loosest to the tightest: `or`, `and`, `not`, comparisons (`== != < <= > >=`),
//! `+ -`, `* /`, the sign, `^`. True is 1, false 0; everything but 0 counts as true. Functions:
//! [`FUNCTIONS`]. Names are letters, digits, `_` and `.`, beginning with a letter.

/// What starts a formula in a text.
pub(super) const MARK: char = '=';

/// Functions, how many arguments they take (least, most), and what they do.
pub(super) const FUNCTIONS: [(&str, usize, usize); 9] = [
    ("min", 1, 16),
    ("max", 1, 16),
    ("abs", 1, 1),
    ("sqrt", 1, 1),
    ("sin", 1, 1),
    ("cos", 1, 1),
    ("clamp", 3, 3),
    ("lerp", 3, 3),
    ("if", 3, 3),
];

/// Nested brackets and signs allowed.
const MAX_DEPTH: usize = 64;

/// Numbers, names and signs allowed: a person's formula has a dozen, and terms are worked out one within
/// the other.
const MAX_TOKENS: usize = 500;

/// Something wrong with a formula, at a byte of its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FormulaFault {
    /// Offset in the text.
    pub at: usize,
    /// Length of what is wrong.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// The name that is not known, if that is what is wrong.
    pub unknown: Option<String>,
}

/// A formula that has been read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Formula {
    root: Term,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Number(f64),
    Name(String, usize),
    Not(Box<Term>),
    Negative(Box<Term>),
    Two(Operator, Box<Term>, Box<Term>),
    Call(usize, Vec<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    Differs,
    Less,
    AtMost,
    More,
    AtLeast,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

impl Operator {
    /// How tightly it binds.
    fn rank(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::Differs
            | Self::Less
            | Self::AtMost
            | Self::More
            | Self::AtLeast => 4,
            Self::Plus | Self::Minus => 5,
            Self::Times | Self::Over => 6,
            Self::Power => 8,
        }
    }

    fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Self::Or => truth(a != 0.0 || b != 0.0),
            Self::And => truth(a != 0.0 && b != 0.0),
            Self::Equal => truth(a == b),
            Self::Differs => truth(a != b),
            Self::Less => truth(a < b),
            Self::AtMost => truth(a <= b),
            Self::More => truth(a > b),
            Self::AtLeast => truth(a >= b),
            Self::Plus => a + b,
            Self::Minus => a - b,
            Self::Times => a * b,
            Self::Over => a / b,
            Self::Power => libm::pow(a, b),
        }
    }
}

/// Ranks of the two signs before a value.
const RANK_NOT: u8 = 3;
const RANK_NEGATIVE: u8 = 7;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Operator(Operator),
    Not,
    Open,
    Close,
    Comma,
    End,
}

impl Formula {
    /// Reads what follows the `=`.
    pub fn parse(text: &str) -> Result<Self, FormulaFault> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, next: 0 };
        let root = parser.term(0, 0)?;
        match parser.peek() {
            Token::End => Ok(Self { root }),
            _ => Err(parser.fault("an operator, or the end of the formula, was expected here")),
        }
    }

    /// Its value; `value_of` knows the names, or says why it does not.
    pub fn value(
        &self,
        value_of: &mut dyn FnMut(&str, usize) -> Result<f64, FormulaFault>,
    ) -> Result<f64, FormulaFault> {
        self.root.value(value_of)
    }
}

impl Term {
    fn value(
        &self,
        value_of: &mut dyn FnMut(&str, usize) -> Result<f64, FormulaFault>,
    ) -> Result<f64, FormulaFault> {
        Ok(match self {
            Self::Number(number) => *number,
            Self::Name(name, at) => value_of(name, *at)?,
            Self::Not(of) => f64::from(u8::from(of.value(value_of)? == 0.0)),
            Self::Negative(of) => -of.value(value_of)?,
            Self::Two(operator, a, b) => operator.apply(a.value(value_of)?, b.value(value_of)?),
            Self::Call(function, arguments) => {
                let values: Vec<f64> = arguments
                    .iter()
                    .map(|argument| argument.value(value_of))
                    .collect::<Result<_, _>>()?;
                call(FUNCTIONS[*function].0, &values)
            }
        })
    }
}

fn call(function: &str, v: &[f64]) -> f64 {
    match function {
        "min" => v.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => v.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "abs" => v[0].abs(),
        "sqrt" => v[0].sqrt(),
        "sin" => libm::sin(v[0].to_radians()),
        "cos" => libm::cos(v[0].to_radians()),
        "clamp" => v[0].max(v[1]).min(v[2]),
        "lerp" => v[0] + (v[1] - v[0]) * v[2],
        "if" if v[0] != 0.0 => v[1],
        "if" => v[2],
        _ => f64::NAN,
    }
}

struct Parser {
    tokens: Vec<(Token, usize, usize)>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn take(&mut self) -> (Token, usize) {
        let (token, at, _) = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        (token, at)
    }

    fn fault(&self, message: &str) -> FormulaFault {
        let (_, at, length) = self.tokens[self.next];
        fault(at, length, message)
    }

    /// Everything that binds more tightly than `above`.
    fn term(&mut self, above: u8, depth: usize) -> Result<Term, FormulaFault> {
        if depth > MAX_DEPTH {
            return Err(self.fault("brackets and signs are nested too deep"));
        }
        let mut left = self.start(depth)?;
        while let Token::Operator(operator) = *self.peek() {
            if operator.rank() <= above {
                break;
            }
            self.take();
            // 2^3^2 is 2^(3^2).
            let right_above = operator.rank() - u8::from(operator == Operator::Power);
            let right = self.term(right_above, depth + 1)?;
            left = Term::Two(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn start(&mut self, depth: usize) -> Result<Term, FormulaFault> {
        let expected = "a number, a name or a bracket was expected here";
        match self.peek().clone() {
            Token::Number(number) => {
                self.take();
                Ok(Term::Number(number))
            }
            Token::Name(name) => self.name(&name, depth),
            Token::Not => {
                self.take();
                Ok(Term::Not(Box::new(self.term(RANK_NOT, depth + 1)?)))
            }
            Token::Operator(Operator::Minus) => {
                self.take();
                Ok(Term::Negative(Box::new(
                    self.term(RANK_NEGATIVE, depth + 1)?,
                )))
            }
            Token::Open => {
                self.take();
                let inner = self.term(0, depth + 1)?;
                self.close()?;
                Ok(inner)
            }
            _ => Err(self.fault(expected)),
        }
    }

    fn close(&mut self) -> Result<(), FormulaFault> {
        match self.peek() {
            Token::Close => {
                self.take();
                Ok(())
            }
            _ => Err(self.fault("a closing bracket was expected here")),
        }
    }

    fn name(&mut self, name: &str, depth: usize) -> Result<Term, FormulaFault> {
        let (_, at) = self.take();
        if *self.peek() != Token::Open {
            return Ok(Term::Name(name.to_owned(), at));
        }
        let Some(function) = FUNCTIONS.iter().position(|(known, ..)| *known == name) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|(known, ..)| *known).collect();
            let message = format!(
                "there is no function `{name}`; there are {}",
                known.join(", ")
            );
            return Err(fault(at, name.len(), &message));
        };
        self.take();
        let mut arguments = vec![self.term(0, depth + 1)?];
        while *self.peek() == Token::Comma {
            self.take();
            arguments.push(self.term(0, depth + 1)?);
        }
        self.close()?;
        let (_, least, most) = FUNCTIONS[function];
        if (least..=most).contains(&arguments.len()) {
            return Ok(Term::Call(function, arguments));
        }
        let message = format!(
            "`{name}` takes {least} to {most} values, not {}",
            arguments.len()
        );
        Err(fault(at, name.len(), &message))
    }
}

fn fault(at: usize, length: usize, message: &str) -> FormulaFault {
    FormulaFault {
        at,
        length,
        message: message.to_owned(),
        unknown: None,
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, usize, usize)>, FormulaFault> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) =
            token(&text[at..]).ok_or_else(|| fault(at, 1, "this cannot stand in a formula"))?;
        tokens.push((token, at, length));
        at += length;
        if tokens.len() > MAX_TOKENS {
            let message =
                format!("a formula of more than {MAX_TOKENS} parts; name parts of it as values");
            return Err(fault(at, 0, &message));
        }
    }
    tokens.push((Token::End, at, 0));
    Ok(tokens)
}

/// The token that a text begins with, and its length.
fn token(text: &str) -> Option<(Token, usize)> {
    const SIGNS: [(&str, Token); 15] = [
        ("==", Token::Operator(Operator::Equal)),
        ("!=", Token::Operator(Operator::Differs)),
        ("<=", Token::Operator(Operator::AtMost)),
        (">=", Token::Operator(Operator::AtLeast)),
        ("<", Token::Operator(Operator::Less)),
        (">", Token::Operator(Operator::More)),
        ("+", Token::Operator(Operator::Plus)),
        ("-", Token::Operator(Operator::Minus)),
        ("*", Token::Operator(Operator::Times)),
        ("/", Token::Operator(Operator::Over)),
        ("^", Token::Operator(Operator::Power)),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
        ("!", Token::Not),
    ];
    let first = text.chars().next()?;
    let run = |keep: fn(char) -> bool| text.find(|c| !keep(c)).unwrap_or(text.len());
    if first.is_ascii_digit() || first == '.' {
        let length = run(|c| c.is_ascii_digit() || c == '.');
        let number = text[..length].parse().ok()?;
        return Some((Token::Number(number), length));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = run(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let word = match &text[..length] {
            "and" => Token::Operator(Operator::And),
            "or" => Token::Operator(Operator::Or),
            "not" => Token::Not,
            name => Token::Name(name.to_owned()),
        };
        return Some((word, length));
    }
    SIGNS
        .into_iter()
        .find(|(sign, _)| text.starts_with(sign))
        .map(|(sign, token)| (token, sign.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<f64, FormulaFault> {
        Formula::parse(text)?.value(&mut |name, at| match name {
            "bmi" => Ok(30.0),
            "gallstones.count" => Ok(3.0),
            _ => Err(FormulaFault {
                at,
                length: name.len(),
                message: "unknown".into(),
                unknown: Some(name.to_owned()),
            }),
        })
    }

    #[test]
    fn operators_bind_as_on_paper() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("-2 ^ 2", -4.0),
            ("2 ^ 3 ^ 2", 512.0),
            ("2 * -3", -6.0),
            ("10 - 4 - 3", 3.0),
            ("bmi - 22.5 > 7 and not (bmi == 31)", 1.0),
            ("if(bmi >= 30, 1 + gallstones.count, 0)", 4.0),
            (
                "clamp(bmi, 18, 25) + lerp(0, 10, 0.25) + max(1, 2, 3)",
                30.5,
            ),
            ("sqrt(abs(-9)) + cos(60)", 3.5),
            ("bmi>31 or bmi!=3", 1.0),
        ] {
            let found = value(text).unwrap();
            assert!((found - expected).abs() < 1e-12, "{text}: {found}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, at, says) in [
            ("1 + ", 4, "a number"),
            ("2 * (3 + 4", 10, "closing bracket"),
            ("2 3", 2, "an operator"),
            ("sine(3)", 0, "no function `sine`"),
            ("if(1, 2)", 0, "takes 3 to 3"),
            ("1 + girth", 4, "unknown"),
            ("1 ? 2", 2, "cannot stand"),
            ("1..2", 0, "cannot stand"),
        ] {
            let fault = value(text).unwrap_err();
            assert!(
                fault.at == at && fault.message.contains(says),
                "{text}: {fault:?}"
            );
        }
        for endless in [
            "(".repeat(100_000),
            vec!["1"; 100_000].join("+"),
            "-".repeat(100_000),
        ] {
            assert!(value(&endless).is_err(), "no overflow of the stack");
        }
    }
}
