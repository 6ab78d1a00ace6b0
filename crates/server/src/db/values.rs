//! Many rows in one statement: a statement for each costs a trip to the database and back.

/// How many rows are written by one statement at the most. Their parameters stay far below what either database takes.
pub const ROWS_AT_ONCE: usize = 50;

/// The list behind `VALUES`. `row` writes a row, given the number of its first own parameter; each row has `own` of them,
/// and they follow the `shared` ones that stand for the same in every row.
pub fn values(rows: usize, shared: usize, own: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<_> = (0..rows).map(|index| row(shared + 1 + index * own)).collect();
    rows.join(", ")
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn each_row_has_its_own_parameters_after_the_shared_ones() {
        let pair = |first: usize| format!("($1, ${first}, ${})", first + 1);
        assert_eq!(values(2, 1, 2, pair), "($1, $2, $3), ($1, $4, $5)");
        assert_eq!(values(0, 1, 2, pair), "");
    }
}
