//! A symmetric matrix as a user writes it.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use serde::{Deserialize, Serialize};

use crate::input::{Grid, Number, Table};
use crate::plain::significant;

/// A symmetric matrix as a user writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MatrixSpec {
    /// A multiple of the identity.
    Number(f64),
    /// A diagonal.
    Diagonal(Vec<f64>),
    /// All of it, row by row.
    Matrix(Vec<Vec<f64>>),
}

/// Beyond this the eigenvalues that a message would quote take too long.
const EIGENVALUES_UP_TO: usize = 200;

impl MatrixSpec {
    /// Reads a symmetric, positive definite matrix: a number, a diagonal, or rows.
    pub(crate) fn read(table: &Table<'_>, key: &str, what: &'static str, example: &'static str) -> Option<Self> {
        let spec = match table.grid(key, &Number::any(what, example))? {
            Grid::Number(number) => Self::Number(number),
            Grid::List(diagonal) => Self::Diagonal(diagonal),
            Grid::Rows(rows) => Self::Matrix(rows),
        };
        match spec.fault() {
            None => Some(spec),
            Some((element, fault)) => {
                table.problem(
                    &format!("{key}{element}"),
                    format!("{fault}; {what} must be symmetric and positive definite"),
                );
                None
            }
        }
    }

    /// Reads a diagonal of positive numbers.
    pub(crate) fn read_diagonal(
        table: &Table<'_>,
        key: &str,
        what: &'static str,
        example: &'static str,
    ) -> Option<Self> {
        table.numbers(key, &Number::positive(what, example)).map(Self::Diagonal)
    }

    /// The dimension, where the matrix fixes one: a number fits every dimension.
    pub fn dimension(&self) -> Option<usize> {
        match self {
            Self::Number(_) => None,
            Self::Diagonal(diagonal) => Some(diagonal.len()),
            Self::Matrix(rows) => Some(rows.len()),
        }
    }

    /// How a d × d matrix may be written, for messages.
    pub(crate) fn forms(d: usize) -> String {
        match d {
            1 => "one number".to_owned(),
            d => format!("{d} numbers (the diagonal), {d} rows of {d}, or one number (times the identity)"),
        }
    }

    /// The number at place (i, i).
    pub fn diagonal(&self, i: usize) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Diagonal(diagonal) => diagonal.get(i).copied().unwrap_or(f64::NAN),
            Self::Matrix(rows) => rows.get(i).and_then(|row| row.get(i)).copied().unwrap_or(f64::NAN),
        }
    }

    /// The matrix, d × d. A diagonal or rows of another size give a matrix of that other size.
    pub fn to_matrix(&self, d: usize) -> DMatrix<f64> {
        match self {
            Self::Number(number) => DMatrix::from_diagonal_element(d, d, *number),
            Self::Diagonal(diagonal) => DMatrix::from_diagonal(&DVector::from_column_slice(diagonal)),
            Self::Matrix(rows) => {
                let columns = rows.first().map_or(0, Vec::len);
                DMatrix::from_fn(rows.len(), columns, |i, j| rows[i].get(j).copied().unwrap_or(f64::NAN))
            }
        }
    }

    /// The first thing that keeps this from being symmetric and positive definite: in which element (`[0][1]`, empty
    /// for the whole) and what.
    fn fault(&self) -> Option<(String, String)> {
        match self {
            Self::Number(number) => {
                (*number <= 0.0).then(|| (String::new(), format!("found {number}, which is not positive")))
            }
            Self::Diagonal(diagonal) => {
                diagonal.iter().enumerate().find(|(_, number)| **number <= 0.0).map(|(i, number)| {
                    (format!("[{i}]"), format!("found {number} on the diagonal, which is not positive"))
                })
            }
            Self::Matrix(rows) => fault_of_rows(rows),
        }
    }
}

fn fault_of_rows(rows: &[Vec<f64>]) -> Option<(String, String)> {
    let d = rows.len();
    for (i, row) in rows.iter().enumerate() {
        if row.len() != d {
            let found = format!("found a row of length {} in a matrix of {d} rows", row.len());
            return Some((format!("[{i}]"), found));
        }
    }
    let below_the_diagonal = (0..d).flat_map(|i| (0..i).map(move |j| (i, j)));
    for (i, j) in below_the_diagonal {
        let (below, above) = (rows[i][j], rows[j][i]);
        if below != above {
            let found = format!("found {below} where its mirror image [{j}][{i}] is {above}; make them equal");
            return Some((format!("[{i}][{j}]"), found));
        }
    }
    let matrix = DMatrix::from_fn(d, d, |i, j| rows[i][j]);
    if matrix.clone().cholesky().is_some() {
        return None;
    }
    let smallest = (d <= EIGENVALUES_UP_TO).then(|| SymmetricEigen::try_new(matrix, f64::EPSILON, 1000)).flatten();
    let found = match smallest {
        Some(decomposition) => {
            format!("its smallest eigenvalue is {}", significant(decomposition.eigenvalues.min(), 4))
        }
        None => "it is not positive definite".to_owned(),
    };
    Some((String::new(), found))
}
