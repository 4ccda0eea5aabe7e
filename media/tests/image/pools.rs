//! Many images at a time.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use flatbed_media::image::{Job, Options, Pool, PoolSize};
use flatbed_media::{Cancel, Context, Error, Input};

use super::files::{BASELINE, jpeg};
use super::made::sized;
use super::scene::Scene;
use crate::io::Folder;

fn pool(threads: usize, memory: u64) -> Pool {
    let threads = NonZeroUsize::new(threads);
    Pool::new(PoolSize { threads, memory }).expect("a pool")
}

#[test]
fn all_are_made_and_the_bad_one_stops_none() {
    let folder = Folder::new();
    let jobs = |folder: &Folder| -> Vec<Job> {
        let job = |number: usize| {
            let mut file = jpeg(&Scene::new(300 + number, 200), BASELINE);
            if number == 3 {
                file.truncate(200);
            }
            Job {
                input: Input::bytes(format!("{number}"), file),
                output: folder.file(&format!("{number}.webp")),
            }
        };
        (0..9).map(job).collect()
    };
    let options = sized("100x", Options::default());
    // Less memory than any of them needs: one at a time, but all.
    for (threads, memory) in [(4, u64::MAX), (3, 1), (1, 300_000)] {
        let told = Mutex::new(Vec::new());
        pool(threads, memory).to_files(jobs(&folder), &options, &Context::new(), |place, made| {
            told.lock().expect("told").push((place, made.is_ok()));
        });
        let mut told = told.into_inner().expect("told");
        told.sort_unstable();
        let expected: Vec<_> = (0..9).map(|place| (place, place != 3)).collect();
        assert_eq!(told, expected);
        assert_eq!(folder.names().len(), 8);
        for name in folder.names() {
            fs::remove_file(folder.file(&name)).expect("removed");
        }
    }
}

#[test]
fn cancelled_on_the_way() {
    let folder = Folder::new();
    let file = jpeg(&Scene::new(300, 200), BASELINE);
    let jobs = (0..50)
        .map(|number| Job {
            input: Input::bytes(format!("{number}"), file.clone()),
            output: folder.file(&format!("{number}.webp")),
        })
        .collect();
    let cancel = Cancel::new();
    let context = Context::new().with_cancel(cancel.clone());
    let made = Mutex::new((0, 0));
    pool(2, 1 << 20).to_files(jobs, &Options::default(), &context, |_, result| {
        let mut made = made.lock().expect("counted");
        match result {
            Ok(_) => made.0 += 1,
            Err(Error::Cancelled) => made.1 += 1,
            Err(error) => panic!("{error}"),
        }
        cancel.cancel();
    });
    let (done, cancelled) = made.into_inner().expect("counted");
    assert_eq!(done + cancelled, 50);
    assert!(done < 5, "{done}");
    let names = folder.names();
    assert_eq!(names.len(), done);
    assert!(
        names.iter().all(|name| !name.contains(".part")),
        "{names:?}"
    );
}
