//! A program that was built without torch says so (the tests with it are in `training.rs`).
#![cfg(not(feature = "torch"))]

#[test]
fn training_says_how_to_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["train", "photo", "--data", "pictures", "-o", "x.srm", "--steps", "3"];
    let text = crate::common::stderr(&crate::common::expect(folder.path(), &arguments, 2));
    assert!(text.contains("--features torch") && text.contains("LIBTORCH"), "{text}");
}
