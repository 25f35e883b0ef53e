//! As much of JSON Schema as our schemas use.

use serde_json::{Map, Value};

/// Words that say nothing about what is allowed, or are handled elsewhere.
const NOT_CHECKED: [&str; 5] = ["$schema", "title", "description", "$defs", "pattern"];

/// Why a value does not fit a schema; `root` has the definitions.
pub fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let schema = schema.as_object().ok_or("a schema is an object")?;
    for (word, says) in schema {
        if !NOT_CHECKED.contains(&word.as_str()) && !holds(word, says, schema, value, root)? {
            return Err(format!("{value} is not {word}: {says}"));
        }
    }
    Ok(())
}

fn holds(
    word: &str,
    says: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    root: &Value,
) -> Result<bool, String> {
    Ok(match word {
        "type" => is_of_type(value, says.as_str().ok_or("one type")?),
        "const" => value == says,
        "enum" => says.as_array().ok_or("a list")?.contains(value),
        "minimum" => value.as_f64() >= says.as_f64(),
        "maximum" => value.as_f64() <= says.as_f64(),
        "minItems" => value.as_array().map(Vec::len) >= number(says),
        "maxItems" => value.as_array().map(Vec::len) <= number(says),
        "anyOf" => {
            let choices = says.as_array().ok_or("a list")?;
            choices
                .iter()
                .any(|choice| fits(value, choice, root).is_ok())
        }
        "$ref" => {
            let name = says.as_str().and_then(|at| at.strip_prefix("#/$defs/"));
            let schema = &root["$defs"][name.ok_or("a definition of the same file")?];
            fits(value, schema, root)?;
            true
        }
        "items" => {
            for item in value.as_array().ok_or("a list")? {
                fits(item, says, root)?;
            }
            true
        }
        "required" => {
            let names = says.as_array().ok_or("a list")?;
            let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
            names.iter().all(has)
        }
        "properties" => {
            for (name, says) in says.as_object().ok_or("an object")? {
                match value.get(name) {
                    Some(value) => fits(value, says, root)?,
                    None => return Err(format!("{name} is missing")),
                }
            }
            true
        }
        "additionalProperties" => {
            let known = schema["properties"].as_object().ok_or("an object")?;
            let here = value.as_object().ok_or("an object")?;
            *says == Value::Bool(false) && here.keys().all(|name| known.contains_key(name))
        }
        other => return Err(format!("`{other}` is not known to this test")),
    })
}

fn number(says: &Value) -> Option<usize> {
    says.as_u64()
        .and_then(|number| usize::try_from(number).ok())
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    }
}
