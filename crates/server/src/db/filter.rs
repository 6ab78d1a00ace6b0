//! Conditions that are only there when somebody asks for them, so that the database can use the index that fits.

use sqlx::{Any, any::AnyArguments, query::Query};

/// Conditions with their values. Parameters are numbered from the one that the statement leaves free.
#[derive(Debug)]
pub struct Filter {
    conditions: String,
    values: Vec<String>,
    first: usize,
}

impl Filter {
    /// No condition yet; the first value becomes the parameter of this number.
    pub fn from(first: usize) -> Self {
        Self { conditions: String::new(), values: Vec::new(), first }
    }

    /// Adds ` AND condition`, where `{}` stands for the value, if there is one.
    pub fn and(mut self, condition: &'static str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            let parameter = format!("${}", self.first + self.values.len());
            self.conditions.push_str(" AND ");
            self.conditions.push_str(&condition.replace("{}", &parameter));
            self.values.push(value.into());
        }
        self
    }

    /// Adds ` AND condition`, which has no value, if there is one.
    pub fn and_where(mut self, condition: Option<&'static str>) -> Self {
        if let Some(condition) = condition {
            self.conditions.push_str(" AND ");
            self.conditions.push_str(condition);
        }
        self
    }

    /// The conditions, to stand after another one.
    pub fn sql(&self) -> &str {
        &self.conditions
    }

    /// Binds the values, after all others.
    pub fn bind<'q>(self, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        self.values.into_iter().fold(query, |query, value| query.bind(value))
    }
}

/// A pattern for `LIKE ... ESCAPE '!'` that finds `text` as it is, anywhere.
pub fn anywhere(text: &str) -> String {
    format!("%{}%", literal(text))
}

/// A part of a pattern that stands for `text` as it is.
pub fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::{Filter, anywhere};

    #[test]
    fn parameters_are_numbered_and_what_is_absent_leaves_nothing() {
        let filter = Filter::from(4)
            .and("a = {}", Some("x"))
            .and("b = {}", None::<String>)
            .and("(c = {} OR d = {})", Some("y"))
            .and_where(Some("e IS NULL"))
            .and_where(None);
        assert_eq!(filter.sql(), " AND a = $4 AND (c = $5 OR d = $5) AND e IS NULL");
        assert_eq!(filter.values, ["x", "y"]);
    }

    #[test]
    fn what_means_something_in_a_pattern_means_itself() {
        assert_eq!(anywhere("50%_!"), "%50!%!_!!%");
    }
}
