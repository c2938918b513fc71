//! Reports of findings as an experiment would make them: text, files, page.

mod comparing;
mod fixture;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sgd_sde::report::{self, Style, text};

use fixture::{Case, TOML};

fn save(folder: &Path, case: &Case) -> Vec<std::path::PathBuf> {
    report::save(folder, &case.findings, &case.figures, &fixture::run_record(), TOML).unwrap()
}

fn cells(line: &str) -> usize {
    line.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

fn entries(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_terminal_text_says_what_was_found() {
    let case = fixture::double_well();
    let output = text::run(&case.findings, Style::default());
    for essential in [
        "double-well — Which well does SGD prefer?",
        "  η = 0.05; S = 1; n = 0.05; σ² = 4; T = 0.1; δ = 0.02; 128 replicas;\n  steps 2,000,000 (SDE time 40000); burn-in 50,000;",
        "A      -1.046681  -0.352386  0.863438  0.859060  0.858607  0.8583 ± 0.0012  [0.8559, 0.8607]",
        "A → B  150.506       177.97    178.412             7,610",
        "*  HOLDS  ln(p_A/p_B)     1.8441  1.801 ± 0.010  [1.785, 1.818]  0.1",
        "occupancy-laplace: the 90 % interval",
        "VERDICT  HOLDS, as expected",
    ] {
        assert!(output.contains(essential), "`{essential}` is missing in\n{output}");
    }
    assert!(!output.contains('\u{1b}'));
    let coloured = text::run(&case.findings, Style { colour: true });
    assert!(coloured.contains("\u{1b}[1;32mHOLDS\u{1b}[0m"));
}

/// A rung that is null in every row clutters neither table nor page; where it exists it is shown everywhere.
#[test]
fn the_ito_rung_is_shown_where_it_exists_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let page = |case: &Case| {
        save(folder.path(), case);
        let target = folder.path().join(&case.findings.scenario.name);
        assert_eq!(report::load(&target).unwrap().figures, case.figures);
        let ladder = fs::read_to_string(target.join("figures/ladder.csv")).unwrap();
        (fs::read_to_string(target.join("report.html")).unwrap(), ladder)
    };
    let mut case = fixture::double_well();
    let (html, ladder) = page(&case);
    let both = text::run(&case.findings, Style::default()) + &text::predict(&case.findings, Style::default());
    assert!(!both.contains("Itô") && !html.contains("Itô") && !ladder.contains("ito"));

    for (row, p) in case.findings.occupancy.iter_mut().zip([0.311_111, 0.688_889]) {
        row.ito = Some(p);
    }
    let density = case.figures.density.as_mut().unwrap();
    density.ito = density.gibbs.iter().rev().copied().collect();
    let (html, ladder) = page(&case);
    for output in [text::run(&case.findings, Style::default()), text::predict(&case.findings, Style::default())] {
        assert!(output.contains("Laplace     Gibbs       Itô  discrete"), "{output}");
        assert!(output.contains("0.311111"), "{output}");
    }
    for essential in ["<th>Itô</th>", "0.311111", "Itô density", "D<sup>−1</sup>"] {
        assert!(html.contains(essential), "`{essential}` is missing in the page");
    }
    assert!(ladder.contains("\nA,ito,0.311111,"), "{ladder}");
}

#[test]
fn an_unexpected_verdict_is_told_as_such() {
    let mut case = fixture::too_large_step();
    case.findings.expected = sgd_sde::statistics::claim::Verdict::Holds;
    assert!(text::run(&case.findings, Style::default()).ends_with("VERDICT  REJECTED, expected: HOLDS\n"));
}

#[test]
fn the_predictions_are_printed_without_measurement() {
    let mut case = fixture::double_well();
    case.findings.verdict = None;
    case.findings.diagnostics = None;
    for row in &mut case.findings.occupancy {
        (row.measured, row.standard_error, row.interval) = (None, None, None);
    }
    let output = text::predict(&case.findings, Style::default());
    for essential in ["A  0.863438  0.859060  0.858607", "ln det H", "-1.046681", "177.97"] {
        assert!(output.contains(essential), "`{essential}` is missing in\n{output}");
    }
    assert!(!output.contains("VERDICT"));
}

#[test]
fn no_line_of_text_is_wider_than_a_terminal() {
    for case in fixture::all() {
        for output in [text::run(&case.findings, Style::default()), text::predict(&case.findings, Style::default())] {
            for line in output.lines() {
                assert!(cells(line) <= 100, "{} cells in {}:\n{line}", cells(line), case.findings.scenario.name);
                assert_eq!(line, line.trim_end());
            }
        }
    }
}

/// The places of the dark pixels of a PNG, which has two pixels per unit of the SVG that it renders.
fn dark_pixels(png: &[u8], svg: &str) -> Vec<[usize; 2]> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let picture = reader.next_frame(&mut pixels).unwrap();
    assert!(svg.starts_with(&format!("<svg width=\"{}\" height=\"{}\"", picture.width / 2, picture.height / 2)));
    assert_eq!((picture.color_type, picture.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    let width = picture.width as usize;
    let is_dark = |pixel: &[u8]| pixel.iter().all(|&level| level < 100);
    let dark = pixels.chunks_exact(3).enumerate().filter(|(_, pixel)| is_dark(pixel));
    dark.map(|(place, _)| [place % width, place / width]).collect()
}

/// Whoever renders it needs fonts, or leaves the words out: the names of the axes lie below everything that is drawn.
#[test]
fn the_words_of_a_figure_are_in_its_png() {
    let folder = tempfile::tempdir().unwrap();
    let case = fixture::all().into_iter().find(|case| case.figures.density.is_some()).unwrap();
    let files = save(folder.path(), &case);
    let file = files.iter().find(|file| file.ends_with("figures/density.png")).unwrap();
    let svg = fs::read_to_string(file.with_extension("svg")).unwrap();
    let dark = dark_pixels(&fs::read(file).unwrap(), &svg);
    let lowest = dark.iter().map(|[_, y]| *y).max().unwrap();
    let letters = dark.iter().filter(|[_, y]| *y > lowest - 20).count();
    assert!((20..2_000).contains(&letters), "{letters} dark pixels in the lowest line");
    // Below the axis line, which crosses the figure, there are the ticks, their numbers and the axis' name.
    let across = |y: usize| dark.iter().filter(|at| at[1] == y).count();
    let axis = (0..=lowest).rev().find(|&y| across(y) > 500).unwrap();
    assert!(lowest > axis + 50, "the axis is at {axis}, the lowest dark pixel at {lowest}");
}

#[test]
fn every_file_is_written_and_readable() {
    let folder = tempfile::tempdir().unwrap();
    for case in fixture::all() {
        let files = save(folder.path(), &case);
        assert!(files.len() > 5);
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.len() > 100, "{} has {} bytes", file.display(), bytes.len());
            match file.extension().and_then(|e| e.to_str()) {
                Some("png") => {
                    assert!(!dark_pixels(&bytes, &fs::read_to_string(file.with_extension("svg")).unwrap()).is_empty())
                }
                Some("svg") => assert!(String::from_utf8(bytes).unwrap().trim_end().ends_with("</svg>")),
                _ => {}
            }
        }
    }
    assert_eq!(
        entries(folder.path()).len(),
        fixture::all().len(),
        "nothing but results is left: {:?}",
        entries(folder.path())
    );
}

#[test]
fn a_saved_result_reads_back_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for case in fixture::all() {
        save(folder.path(), &case);
        let target = folder.path().join(&case.findings.scenario.name);
        let saved = report::load(&target).unwrap();
        assert_eq!(saved.run, fixture::run_record());
        let written = fs::read_to_string(target.join("result.json")).unwrap();
        assert_eq!(written, report::to_json(&saved.findings).unwrap());
        assert_eq!(format!("{:?}", saved.figures), format!("{:?}", case.figures));
        let page = fs::read(target.join("report.html")).unwrap();
        report::save(folder.path(), &saved.findings, &saved.figures, &saved.run, TOML).unwrap();
        assert_eq!(page, fs::read(target.join("report.html")).unwrap(), "redrawn from saved results alone");
    }
}

#[test]
fn result_json_keeps_the_order_of_the_contract() {
    let text = report::to_json(&fixture::frozen().findings).unwrap();
    let keys = ["schema", "program", "scenario", "noise_scale", "temperature", "minima", "saddles", "escape"];
    let places: Vec<usize> = keys.iter().map(|key| text.find(&format!("\n  \"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted());
    assert!(text.contains("\"measured\": null"));
    assert!(!text.contains("NaN") && !text.contains("inf"));
}

#[test]
fn the_page_stands_alone_and_says_everything() {
    let folder = tempfile::tempdir().unwrap();
    for case in fixture::all() {
        save(folder.path(), &case);
        let name = &case.findings.scenario.name;
        let page = fs::read_to_string(folder.path().join(name).join("report.html")).unwrap();
        for forbidden in ["http://", "https://", "<script", "NaN", "Infinity", " id=\"\""] {
            assert!(!page.contains(forbidden), "`{forbidden}` in the page of {name}");
        }
        let findings = &case.findings;
        let word = serde_json::to_string(&findings.verdict).unwrap().trim_matches('"').to_uppercase();
        for essential in [
            findings.scenario.title.as_str(),
            &findings.scenario.question,
            &word,
            if findings.verdict == Some(findings.expected) { "as expected" } else { "expected: HOLDS" },
            "learning rate",
            "<svg",
            "How to run it again",
            "experiment = &quot;equilibrium&quot;",
            &findings.claims[0].source,
            "0.1.0",
            "Hessian",
        ] {
            assert!(page.contains(essential), "`{essential}` is missing in the page of {name}");
        }
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "ids are unique");
    }
}

#[test]
fn markup_in_a_scenario_is_text_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = fixture::double_well();
    case.findings.scenario.title = "<script>alert(1)</script> & more".into();
    save(folder.path(), &case);
    let page = fs::read_to_string(folder.path().join("double-well/report.html")).unwrap();
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn an_earlier_result_survives_a_failure_and_goes_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let case = fixture::double_well();
    save(folder.path(), &case);
    let target = folder.path().join("double-well");
    let before = fs::read(target.join("result.json")).unwrap();
    fs::write(target.join("figures/map.png"), "of an earlier result").unwrap();
    fs::write(target.join("notes.txt"), "the user's own").unwrap();

    // A histogram that does not fit its edges fails in the middle of writing.
    let mut broken = fixture::double_well();
    broken.findings.scenario.seed = 2;
    broken.figures.density.as_mut().unwrap().edges.pop();
    let refused = report::save(folder.path(), &broken.findings, &broken.figures, &fixture::run_record(), TOML);
    assert!(refused.unwrap_err().to_string().contains("density"));
    assert_eq!(before, fs::read(target.join("result.json")).unwrap());
    assert!(target.join("figures/map.png").exists());
    assert_eq!(entries(folder.path()).len(), 1, "no half result is left: {:?}", entries(folder.path()));

    let mut fresh = fixture::double_well();
    fresh.findings.scenario.seed = 3;
    save(folder.path(), &fresh);
    assert!(fs::read_to_string(target.join("result.json")).unwrap().contains("\"seed\": 3"));
    assert!(!target.join("figures/map.png").exists(), "the program's files are replaced as a whole");
    assert!(target.join("notes.txt").exists(), "and the user's stay");
    assert_eq!(entries(folder.path()).len(), 1);
}

#[test]
fn an_interrupt_between_the_renames_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &fixture::double_well());
    let (target, earlier) = (folder.path().join("double-well"), folder.path().join(".double-well.earlier"));
    // As an interrupt would leave it: the earlier result is out of the way, the new one is not yet in place.
    fs::rename(&target, &earlier).unwrap();
    let mut broken = fixture::double_well();
    broken.figures.density.as_mut().unwrap().loss.pop();
    report::save(folder.path(), &broken.findings, &broken.figures, &fixture::run_record(), TOML).unwrap_err();
    assert!(target.join("result.json").exists());
    assert!(!earlier.exists());
}

#[test]
fn names_cannot_leave_the_output_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "..", "a/b", "a b"] {
        let mut case = fixture::double_well();
        case.findings.scenario.name = name.into();
        let refused = report::save(folder.path(), &case.findings, &case.figures, &fixture::run_record(), TOML);
        assert!(refused.unwrap_err().to_string().contains("cannot name"), "{name}");
    }
}

#[test]
fn a_file_is_replaced_atomically() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    report::write_atomically(&path, b"one").unwrap();
    report::write_atomically(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(entries(folder.path()).len(), 1);
    let refused = report::write_atomically(&folder.path().join("missing/x.txt"), b"").unwrap_err();
    assert!(refused.to_string().contains("missing"));
}

/// A question about a density predicts no occupancies; the courses were observed all the same.
#[test]
fn mixing_is_shown_where_no_occupancy_is_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = fixture::double_well();
    case.findings.occupancy.clear();
    save(folder.path(), &case);
    let drawn = fs::read_to_string(folder.path().join("double-well/figures/mixing.svg")).unwrap();
    assert!(drawn.contains("occupancy of A") && drawn.contains("SDE time"), "{drawn}");
    assert!(!drawn.contains("no minimum was observed"));
}

#[test]
fn damaged_tables_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &fixture::double_well());
    let figures = folder.path().join("double-well/figures");
    let path = figures.join("mixing.csv");
    let text = fs::read_to_string(&path).unwrap().replacen("A,A,", "A,A,x", 1);
    fs::write(&path, text).unwrap();
    let refused = report::load_figures(&figures).unwrap_err().to_string();
    assert!(refused.contains("mixing.csv, line 2") && refused.contains("`time`"), "{refused}");
}

/// For the eye: `REPORT_LOOK=folder cargo test --test report look` leaves every file there.
#[test]
fn look() {
    let Some(folder) = std::env::var_os("REPORT_LOOK") else { return };
    for case in fixture::all() {
        save(Path::new(&folder), &case);
        let folder = Path::new(&folder).join(&case.findings.scenario.name);
        fs::write(folder.join("run.txt"), text::run(&case.findings, Style::default())).unwrap();
        fs::write(folder.join("predict.txt"), text::predict(&case.findings, Style::default())).unwrap();
    }
}
