use super::{Layout, Line, Plan, layout};

/// A picture with a box of 100 × 40 for each number that occurs, and a label on every line.
fn picture(lines: &[(usize, usize)]) -> (Plan, Layout) {
    let count = lines.iter().flat_map(|(from, to)| [*from, *to]).max().unwrap() + 1;
    let line = |(from, to): &(usize, usize)| Line { from: *from, to: *to, label: 80.0, loose: false };
    let plan = Plan { boxes: vec![(100.0, 40.0); count], lines: lines.iter().map(line).collect() };
    let placed = layout(&plan);
    (plan, placed)
}

fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 < b.0 + b.2 && b.0 < a.0 + a.2 && a.1 < b.1 + b.3 && b.1 < a.1 + a.3
}

#[test]
fn nothing_covers_anything_else_and_all_is_in_the_picture() {
    let pictures: [&[(usize, usize)]; 5] = [
        &[(0, 1)],
        &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (0, 4)],
        &[(0, 2), (1, 2), (2, 3), (3, 0), (3, 1), (2, 4)],
        &[(0, 1), (1, 2), (2, 0)],
        &[(0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (2, 5), (3, 6), (4, 6), (5, 6), (0, 6), (6, 1)],
    ];
    for lines in pictures {
        let (plan, placed) = picture(lines);
        let boxes = placed.boxes.iter().map(|(x, y)| (*x, *y, 100.0, 40.0));
        let labels = plan.lines.iter().zip(&placed.curves).map(|(line, curve)| {
            let (x, y) = curve.label;
            (x - line.label / 2.0, y - 8.0, line.label, 16.0)
        });
        let all: Vec<_> = boxes.chain(labels).collect();
        for (i, a) in all.iter().enumerate() {
            assert!(a.0 >= 0.0 && a.1 >= 0.0, "{lines:?} {a:?}");
            assert!(a.0 + a.2 <= placed.width && a.1 + a.3 <= placed.height, "{lines:?} {a:?}");
            assert!(all[..i].iter().all(|b| !overlap(*a, *b)), "{lines:?} {a:?} in {all:?}");
        }
    }
}

#[test]
fn every_arrow_goes_from_its_page_to_its_page() {
    let (plan, placed) = picture(&[(0, 1), (1, 2), (2, 0), (0, 2)]);
    let within = |(x, y): (f64, f64), b: usize| {
        let (left, top) = placed.boxes[b];
        (left..=left + 100.0).contains(&x) && (top..=top + 40.0).contains(&y)
    };
    for (line, curve) in plan.lines.iter().zip(&placed.curves) {
        assert!(within(*curve.points.first().unwrap(), line.from));
        assert!(within(*curve.points.last().unwrap(), line.to));
    }
}
