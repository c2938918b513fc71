//! Tables of text.

use sgd_sde::data::Dataset;

use crate::support::{folder, load, refused};

const KEYS: &str = "kind = \"csv\"\npath = \"t.csv\"\n";

fn training(keys: &str, table: &str) -> Dataset {
    load(&format!("{KEYS}{keys}"), folder(&[("t.csv", table.as_bytes())]).path()).unwrap().training
}

/// Input rows and names of labels in the order of the file.
fn examples(data: &Dataset) -> Vec<(Vec<f64>, String)> {
    let mut places: Vec<usize> = (0..data.len()).collect();
    places.sort_by_key(|&place| data.indices()[place]);
    let name = |place: usize| data.class_names().unwrap()[data.labels().unwrap()[place] as usize].clone();
    places.into_iter().map(|place| (data.input(place).to_vec(), name(place))).collect()
}

#[test]
fn columns_go_by_name_or_place() {
    let expected = vec![(vec![1.5, -2.0], "b".to_owned()), (vec![3.0, 4e-3], "a".to_owned())];
    let table = "\u{FEFF}length, kind ,width\r\n1.5,b,-2\r\n\r\n3, a ,4e-3";
    for target in ["\"kind\"", "1"] {
        let data = training(&format!("target = {target}"), table);
        assert_eq!(examples(&data), expected);
        assert_eq!(data.feature_names(), ["length", "width"]);
        assert_eq!(data.class_names().unwrap(), ["a", "b"]);
    }
    let data = training("target = 0\nheader = false\ndelimiter = \";\"", "b;1.5;-2\na;3;4e-3\n");
    assert_eq!(examples(&data), expected);
    assert!(data.feature_names().is_empty());
}

#[test]
fn whole_numbers_are_classes_in_their_order() {
    let data = training("target = \"y\"", "x,y\n1,10\n2,9\n3,-1\n4,10\n");
    assert_eq!(data.class_names().unwrap(), ["-1", "9", "10"]);
    assert_eq!(data.class_counts(), Some(vec![1, 1, 2]));
}

#[test]
fn targets_may_be_real() {
    let data = training("target = \"y\"\ntask = \"regression\"", "x,y\n1,0.5\n2,1.5\n");
    assert!((0..2).all(|place| data.values().unwrap()[place] == data.input(place)[0] - 0.5));
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let cases: [(&str, &[u8], &str, &str); 19] = [
        ("target = \"y\"", b"x,y\n1,a\n\"?\",b\n", "data.path", "line 3, column \"x\": found \"?\""),
        ("target = \"y\"", b"x,y\n1,a\n,b\n", "data.path", "line 3, column \"x\": the number is missing"),
        ("target = \"y\"", b"x,y\n1,a\n2,\n", "data.path", "line 3, column \"y\": the label is missing"),
        ("target = \"y\"", b"x,y\nNaN,a\n", "data.path", "line 2, column \"x\": the number is NaN"),
        ("target = \"y\"", b"x,y\n-inf,a\n", "data.path", "the number is infinite"),
        ("target = \"y\"", b"x,y\n1,a\n2,b,c\n", "data.path", "line 3 has 3 fields where the first line has 2"),
        ("target = \"y\"", b"x,y\n1,0.5\n", "data.path", "task = \"regression\""),
        ("target = \"y\"", b"x,y\n1,\xFF\n", "data.path", "line 2 is not UTF-8"),
        ("target = \"y\"", b"x,y\n", "data.path", "has no examples"),
        ("target = \"y\"", b"", "data.path", "has 0 column(s)"),
        ("target = \"y\"", b"x;y\n1;a\n", "data.path", "is the delimiter another than ','?"),
        ("target = \"lable\"", b"x,label\n1,a\n", "data.target", "did you mean \"label\"?"),
        ("target = \"x\"", b"x,x\n1,a\n", "data.path", "columns 0 and 1 (from 0) both have the name"),
        ("target = \"z\"", b"x,z,y,y\n1,a,2,3\n", "data.path", "columns 2 and 3 (from 0) both have the name \"y\""),
        ("target = \"y\"", b"x,y\n1,a\n2,a\n", "data.path", "all 2 examples have the label \"a\""),
        ("target = 2", b"x,y\n1,a\n", "data.target", "columns 0 to 1"),
        ("target = 2", b"0.5,1.5,a\n1,2,b\n", "data.path", "has the number 0.5 where the names"),
        ("target = 2", b"7,3,a\n1,2,b\n", "data.path", "give header = false if the first line is an example"),
        ("target = \"y\"", b"x,y\n1,a\n2,\"b\n3,a\n", "data.path", "line 3, column \"y\": goes on over several lines"),
    ];
    for (keys, bytes, key, phrase) in cases {
        let (found, message) = refused(&format!("{KEYS}{keys}"), folder(&[("t.csv", bytes)]).path());
        assert!(found == key && message.contains(phrase), "{phrase}: {found}: {message}");
    }
}
