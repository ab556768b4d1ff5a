//! Where things go: pages in layers from top to bottom, arrows as curves between them. Every label has a place
//! of its own in a layer between two pages, so no two of them ever cover each other.

/// What is to be placed.
pub(super) struct Plan {
    /// Width and height of each box.
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) lines: Vec<Line>,
}

/// A line from one box to another.
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The width of its label; 0 when it has none.
    pub(super) label: f64,
    /// Leads aside, to a box that need not stand lower.
    pub(super) loose: bool,
}

/// Where everything is.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The top left corner of each box.
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) curves: Vec<Curve>,
}

/// A line as it is drawn.
pub(super) struct Curve {
    /// From its beginning to the tip of its arrow.
    pub(super) points: Vec<(f64, f64)>,
    /// The middle of its label.
    pub(super) label: (f64, f64),
    /// It bows over the boxes of the first layer.
    pub(super) bow: bool,
}

const MARGIN: f64 = 32.0;
/// Between two layers.
const GAP: f64 = 26.0;
/// Between two things in a layer.
const APART: f64 = 28.0;
/// The height of a layer of labels.
const LABEL: f64 = 18.0;
/// How high a bow rises for each thing that it spans.
const BOW: f64 = 40.0;
const SWEEPS: usize = 24;

/// A box, or a place where a line passes a layer.
#[derive(Clone, Debug)]
struct Cell {
    layer: usize,
    width: f64,
    height: f64,
    /// The middle.
    x: f64,
}

struct Work {
    cells: Vec<Cell>,
    /// The cells of each layer from left to right.
    layers: Vec<Vec<usize>>,
    /// Cells that are joined, the upper one first.
    joints: Vec<(usize, usize)>,
}

/// Neighbours of a layer that move together.
struct Group {
    /// The sum of where its cells want the left end to be.
    wishes: f64,
    count: f64,
    /// Cells, and how far right of the left end they stand.
    members: Vec<(usize, f64)>,
}

impl Group {
    fn place(&self) -> f64 {
        self.wishes / self.count
    }
}

/// Places everything.
pub(super) fn layout(plan: &Plan) -> Layout {
    let layers = ranks(plan);
    let mut work = Work { cells: Vec::new(), layers: Vec::new(), joints: Vec::new() };
    for ((width, height), layer) in plan.boxes.iter().zip(&layers) {
        work.add(layer * 2, *width, *height);
    }
    let routes: Vec<Option<Vec<usize>>> = plan.lines.iter().map(|line| work.route(line)).collect();
    for sweep in 0..SWEEPS {
        work.order(sweep % 2 == 0);
    }
    work.spread();
    work.draw(plan, &routes)
}

/// The layer of each box: below everything that leads to it. A line that leads back up, or aside to the first
/// layer, does not count.
fn ranks(plan: &Plan) -> Vec<usize> {
    let count = plan.boxes.len();
    let mut state = vec![0_u8; count];
    let mut down: Vec<(usize, usize)> = Vec::new();
    for root in 0..count {
        descend(plan, root, &mut state, &mut down);
    }
    let mut ranks = vec![0_usize; count];
    for _ in 0..count {
        for (from, to) in &down {
            let lowest = ranks.get(*from).copied().unwrap_or_default() + 1;
            if let Some(rank) = ranks.get_mut(*to) {
                *rank = lowest.max(*rank);
            }
        }
    }
    ranks
}

/// Depth first; a line to a box that is still open would close a circle.
fn descend(plan: &Plan, at: usize, state: &mut [u8], down: &mut Vec<(usize, usize)>) {
    match state.get_mut(at) {
        Some(state @ 0) => *state = 1,
        _ => return,
    }
    for line in plan.lines.iter().filter(|line| line.from == at && !line.loose) {
        if state.get(line.to) != Some(&1) {
            down.push((at, line.to));
            descend(plan, line.to, state, down);
        }
    }
    if let Some(state) = state.get_mut(at) {
        *state = 2;
    }
}

impl Work {
    fn add(&mut self, layer: usize, width: f64, height: f64) -> usize {
        let index = self.cells.len();
        self.cells.push(Cell { layer, width, height, x: 0.0 });
        while self.layers.len() <= layer {
            self.layers.push(Vec::new());
        }
        if let Some(cells) = self.layers.get_mut(layer) {
            cells.push(index);
        }
        index
    }

    fn layer(&self, cell: usize) -> usize {
        self.cells.get(cell).map_or(0, |cell| cell.layer)
    }

    fn x(&self, cell: usize) -> f64 {
        self.cells.get(cell).map_or(0.0, |cell| cell.x)
    }

    /// The cells that a line passes, from top to bottom; `None` for one between boxes of one layer.
    fn route(&mut self, line: &Line) -> Option<Vec<usize>> {
        let (a, b) = (self.layer(line.from), self.layer(line.to));
        if a == b {
            return None;
        }
        let (top, bottom) = if a < b { (line.from, line.to) } else { (line.to, line.from) };
        let (first, last) = (a.min(b), a.max(b));
        let mut cells = vec![top];
        for layer in first + 1..last {
            // The label is where the line begins, between the first two boxes.
            let labelled = layer == if a < b { first + 1 } else { last - 1 };
            let width = if labelled { line.label.max(2.0) } else { 2.0 };
            cells.push(self.add(layer, width, if layer % 2 == 1 { LABEL } else { 0.0 }));
        }
        cells.push(bottom);
        self.joints.extend(cells.windows(2).filter_map(|pair| match pair {
            [upper, lower] => Some((*upper, *lower)),
            _ => None,
        }));
        Some(cells)
    }

    /// The neighbours of a cell, above or below it.
    fn neighbours(&self, cell: usize, above: bool) -> impl Iterator<Item = usize> {
        self.joints.iter().filter_map(move |(upper, lower)| match above {
            true if *lower == cell => Some(*upper),
            false if *upper == cell => Some(*lower),
            _ => None,
        })
    }

    /// Sorts every layer by where its neighbours are.
    fn order(&mut self, downwards: bool) {
        let mut place = vec![0.0; self.cells.len()];
        self.note_places(&mut place);
        let count = self.layers.len();
        for step in 0..count {
            let index = if downwards { step } else { count - 1 - step };
            let Some(layer) = self.layers.get(index).cloned() else { continue };
            let mut sorted: Vec<(f64, usize)> = layer
                .iter()
                .map(|cell| {
                    let near = self.neighbours(*cell, downwards);
                    let own = place.get(*cell).copied().unwrap_or_default();
                    (mean(near.filter_map(|n| place.get(n).copied())).unwrap_or(own), *cell)
                })
                .collect();
            sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            if let Some(layer) = self.layers.get_mut(index) {
                *layer = sorted.into_iter().map(|(_, cell)| cell).collect();
            }
            self.note_places(&mut place);
        }
    }

    /// Notes how far right in its layer each cell is, from 0 to 1.
    fn note_places(&self, place: &mut [f64]) {
        for layer in &self.layers {
            let mut at = 0.5;
            let step = 1.0 / layer.iter().map(|_| 1.0).sum::<f64>().max(1.0);
            for cell in layer {
                if let Some(place) = place.get_mut(*cell) {
                    *place = at * step;
                }
                at += 1.0;
            }
        }
    }

    /// Gives every cell its place from left to right, as near to its neighbours as the others let it.
    fn spread(&mut self) {
        for layer in 0..self.layers.len() {
            self.settle(layer, |_, _| 0.0);
        }
        for sweep in 0..SWEEPS * 8 {
            let (above, count) = (sweep % 2 == 0, self.layers.len());
            for step in 0..count {
                let layer = if above { step } else { count - 1 - step };
                self.settle(layer, |work, cell| {
                    let near = mean(work.neighbours(cell, true).map(|n| work.x(n)));
                    let far = mean(work.neighbours(cell, false).map(|n| work.x(n)));
                    match (near, far) {
                        (Some(near), Some(far)) => near.midpoint(far),
                        (Some(one), None) | (None, Some(one)) => one,
                        (None, None) => work.x(cell),
                    }
                });
            }
        }
        let left = self.cells.iter().map(|cell| cell.x - cell.width / 2.0).fold(f64::MAX, f64::min);
        for cell in &mut self.cells {
            cell.x += MARGIN - left;
        }
    }

    /// Moves the cells of a layer to where they want to be, in their order and without touching: neighbours
    /// that would overlap become a group around the mean of their wishes.
    fn settle(&mut self, layer: usize, wish: impl Fn(&Self, usize) -> f64) {
        let Some(cells) = self.layers.get(layer).cloned() else { return };
        let mut offset = 0.0;
        let mut before: Option<f64> = None;
        let mut groups: Vec<Group> = Vec::new();
        for cell in cells {
            let width = self.cells.get(cell).map_or(0.0, |cell| cell.width);
            offset += before.map_or(0.0, |before| before.midpoint(width) + APART);
            before = Some(width);
            let wishes = wish(self, cell) - offset;
            groups.push(Group { wishes, count: 1.0, members: vec![(cell, offset)] });
            while let [.., left, right] = groups.as_slice()
                && left.place() > right.place()
                && let (Some(right), Some(mut left)) = (groups.pop(), groups.pop())
            {
                left.wishes += right.wishes;
                left.count += right.count;
                left.members.extend(right.members);
                groups.push(left);
            }
        }
        for group in groups {
            for (cell, offset) in &group.members {
                if let Some(cell) = self.cells.get_mut(*cell) {
                    cell.x = group.place() + offset;
                }
            }
        }
    }

    /// The top of each layer and its height.
    fn bands(&self, top: f64) -> Vec<(f64, f64)> {
        let mut y = top;
        let heights = self.layers.iter().map(|layer| {
            let cells = layer.iter().filter_map(|cell| self.cells.get(*cell));
            cells.map(|cell| cell.height).fold(0.0, f64::max)
        });
        heights
            .map(|height| {
                let band = (y, height);
                y += height + GAP;
                band
            })
            .collect()
    }

    fn draw(&self, plan: &Plan, routes: &[Option<Vec<usize>>]) -> Layout {
        let bows = plan.lines.iter().zip(routes).filter(|(_, route)| route.is_none());
        let highest = bows.map(|(line, _)| rise(self.x(line.from), self.x(line.to))).fold(0.0, f64::max);
        let bands = self.bands(MARGIN + highest * 0.9);
        let middle = |cell: usize| {
            let (top, height) = bands.get(self.layer(cell)).copied().unwrap_or_default();
            (self.x(cell), top + height / 2.0)
        };
        let half = |cell: usize| self.cells.get(cell).map_or(0.0, |cell| cell.height / 2.0);
        let boxes = plan.boxes.iter().enumerate().map(|(i, (width, height))| {
            let (x, y) = middle(i);
            (x - width / 2.0, y - height / 2.0)
        });
        let curve = |(line, route): (&Line, &Option<Vec<usize>>)| match route {
            None => bow(middle(line.from), middle(line.to), (half(line.from), half(line.to))),
            Some(cells) => self.curve(line, cells, (&middle, &half)),
        };
        let curves: Vec<Curve> = plan.lines.iter().zip(routes).map(curve).collect();
        let right = self.cells.iter().map(|cell| cell.x + cell.width / 2.0).fold(0.0, f64::max);
        let bottom = bands.last().map_or(0.0, |(top, height)| top + height);
        Layout { width: right + MARGIN, height: bottom + MARGIN, boxes: boxes.collect(), curves }
    }

    fn curve(
        &self,
        line: &Line,
        cells: &[usize],
        (middle, half): (&impl Fn(usize) -> (f64, f64), &impl Fn(usize) -> f64),
    ) -> Curve {
        let inner = cells.len().saturating_sub(1);
        let passes = |(n, cell): (usize, &usize)| {
            let (x, y) = middle(*cell);
            // Straight through the layer, so that no curve cuts the corner of a box in it.
            let half = if n == 0 || n == inner { 0.0 } else { self.band_half(*cell) };
            if half > 0.0 { vec![(x, y - half), (x, y + half)] } else { vec![(x, y)] }
        };
        let mut points: Vec<(f64, f64)> = cells.iter().enumerate().flat_map(passes).collect();
        if let (Some((x, y)), [top, next, ..]) = (points.first_mut(), cells) {
            *y += half(*top);
            *x += self.port(*top, *next, false);
        }
        if let (Some((x, y)), [.., next, bottom]) = (points.last_mut(), cells) {
            *y -= half(*bottom);
            *x += self.port(*bottom, *next, true);
        }
        let upwards = cells.first() == Some(&line.to);
        let passing = if upwards { cells.iter().rev().nth(1) } else { cells.get(1) };
        let label = passing.map(|cell| middle(*cell)).unwrap_or_default();
        if upwards {
            points.reverse();
        }
        Curve { points, label, bow: false }
    }

    /// Half the height of the layer of a cell, when it is one of boxes.
    fn band_half(&self, cell: usize) -> f64 {
        let layer = self.layers.get(self.layer(cell)).into_iter().flatten();
        let boxes = layer.filter_map(|cell| self.cells.get(*cell)).filter(|cell| cell.layer % 2 == 0);
        boxes.map(|cell| cell.height / 2.0).fold(0.0, f64::max)
    }

    /// How far from the middle of a box a line leaves it, so that several do not begin at one point.
    fn port(&self, at: usize, towards: usize, above: bool) -> f64 {
        let mut all: Vec<usize> = self.neighbours(at, above).collect();
        all.sort_by(|a, b| self.x(*a).total_cmp(&self.x(*b)));
        let width = self.cells.get(at).map_or(0.0, |cell| cell.width);
        let count = all.iter().map(|_| 1.0).sum::<f64>();
        let before = all.iter().take_while(|other| **other != towards).map(|_| 1.0).sum::<f64>();
        ((before + 0.5) / count.max(1.0) - 0.5) * (width * 0.6)
    }
}

/// A line between two boxes of one layer, over their tops.
fn bow(from: (f64, f64), to: (f64, f64), (a, b): (f64, f64)) -> Curve {
    let side = if from.0 < to.0 { 1.0 } else { -1.0 };
    let begin = (from.0 + side * 24.0, from.1 - a);
    let end = (to.0 - side * 24.0, to.1 - b);
    let rise = rise(from.0, to.0);
    let top = begin.1.min(end.1) - rise;
    // A cubic curve comes three quarters of the way to its handles.
    let label = (begin.0.midpoint(end.0), begin.1.min(end.1) - rise * 0.75);
    Curve { points: vec![begin, (begin.0, top), (end.0, top), end], label, bow: true }
}

/// How high a bow rises.
fn rise(from: f64, to: f64) -> f64 {
    if (to - from).abs() > 300.0 { 2.0 * BOW } else { BOW }
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests;
