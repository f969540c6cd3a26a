//! Runs two sides in turn and compares them pair by pair.

use std::time::{Duration, Instant};

/// The measurement of one run of one side.
pub struct Sample {
    /// The number of saves.
    pub saves: usize,
    /// The time of all saves together.
    pub elapsed: Duration,
    /// The time of each save.
    pub latencies: Vec<Duration>,
}

impl Sample {
    fn rate(&self) -> f64 {
        self.saves as f64 / self.elapsed.as_secs_f64()
    }
}

/// Returns the time of each save of one writer.
pub fn timed(saves: usize, mut save: impl FnMut(usize)) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(saves);
    for number in 0..saves {
        let began = Instant::now();
        save(number);
        latencies.push(began.elapsed());
    }
    latencies
}

/// Runs `writer` on `writers` threads, and measures all of it.
pub fn on_threads(writers: usize, writer: impl Fn(usize) -> Vec<Duration> + Sync) -> Sample {
    let began = Instant::now();
    let latencies: Vec<Duration> = std::thread::scope(|scope| {
        let writer = &writer;
        let threads: Vec<_> = (0..writers)
            .map(|number| scope.spawn(move || writer(number)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a writer does not panic"))
            .collect()
    });
    Sample {
        saves: latencies.len(),
        elapsed: began.elapsed(),
        latencies,
    }
}

/// Prints a row for each comparison.
pub struct Report {
    json: bool,
}

impl Report {
    pub fn new(json: bool) -> Self {
        if !json {
            println!(
                "| work | ours, saves/s | raw, saves/s | ratio: median (min, max) | p50, p99 ours | p50, p99 raw |"
            );
            println!("|---|---|---|---|---|---|");
        }
        Self { json }
    }

    /// Compares two sides over `pairs` pairs, after a first one that does not count.
    pub fn row(
        &mut self,
        title: &str,
        pairs: usize,
        ours: impl Fn() -> Sample,
        raw: impl Fn() -> Sample,
    ) {
        drop((ours(), raw()));
        let pairs: Vec<(Sample, Sample)> = (0..pairs).map(|_| (ours(), raw())).collect();
        let rates = |side: fn(&(Sample, Sample)) -> &Sample| {
            sorted(pairs.iter().map(|pair| side(pair).rate()).collect())
        };
        let ours = rates(|pair| &pair.0);
        let raw = rates(|pair| &pair.1);
        let ratios = sorted(
            pairs
                .iter()
                .map(|(ours, raw)| ours.rate() / raw.rate())
                .collect(),
        );
        let least = ratios[0];
        let most = ratios[ratios.len() - 1];
        let latencies = |side: fn(&(Sample, Sample)) -> &Sample| {
            let all = pairs
                .iter()
                .flat_map(|pair| &side(pair).latencies)
                .map(Duration::as_secs_f64);
            let all = sorted(all.map(|seconds| seconds * 1e6).collect());
            (all[all.len() / 2], all[all.len() * 99 / 100])
        };
        let ours_latency = latencies(|pair| &pair.0);
        let raw_latency = latencies(|pair| &pair.1);
        let ours = median(&ours);
        let raw = median(&raw);
        let ratio = median(&ratios);
        if self.json {
            println!(
                "{{\"work\":\"{title}\",\"ours\":{ours:.0},\"raw\":{raw:.0},\"ratio\":{ratio:.3},\"min\":{least:.3},\
                 \"max\":{most:.3},\"ours_us\":[{:.0},{:.0}],\"raw_us\":[{:.0},{:.0}]}}",
                ours_latency.0, ours_latency.1, raw_latency.0, raw_latency.1
            );
        } else {
            println!(
                "| {title} | {ours:.0} | {raw:.0} | {ratio:.2} ({least:.2}, {most:.2}) | {:.0}, {:.0} µs | {:.0}, {:.0} µs |",
                ours_latency.0, ours_latency.1, raw_latency.0, raw_latency.1
            );
        }
    }
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
