//! Graphs of one and of several ends.

use super::super::scale::format_number;
use super::*;

fn gray(width: i32, height: i32) -> Frame {
    let mut frame = Frame::picture(width, height, format_number("yuv420p")).expect("a frame");
    frame.set_pts(Some(0));
    frame
}

#[test]
fn a_picture_goes_through_a_chain() {
    let context = Context::new();
    let out = Graph::once("scale=32:24", gray(64, 48), "test", &context).expect("a picture");
    assert_eq!((out.width(), out.height()), (32, 24));
}

#[test]
fn two_sources_and_two_sinks_are_found_by_their_labels() {
    let (main, mark) = (gray(64, 48), gray(16, 16));
    let entry = |label, like| Entry {
        label,
        like,
        time_base: TimeBase::per_second(25),
        frame: None,
    };
    let mut graph = Graph::new(
        "[main][mark]overlay=4:4,split[a][b];[b]scale=8:6[small]",
        &[entry("main", &main), entry("mark", &mark)],
        &["small", "a"],
        "test",
        &Context::new(),
    )
    .expect("a graph");
    graph.send(1, Some(gray(16, 16))).expect("sent");
    graph.send(1, None).expect("ended");
    graph.send(0, Some(gray(64, 48))).expect("sent");
    assert!(!graph.accepts(0, &gray(32, 24)));
    assert!(graph.send(0, Some(gray(32, 24))).is_err());
    graph.send(0, None).expect("ended");
    assert_eq!(graph.pictures(0).expect("a sink").width, 8);
    for (sink, width) in [(0, 8), (1, 64)] {
        let Filtered::Frame(frame) = graph.receive(sink).expect("received") else {
            panic!("a frame");
        };
        assert_eq!(frame.width(), width);
    }
    assert!(matches!(
        graph.receive(0).expect("received"),
        Filtered::Ended
    ));
}

#[test]
fn a_description_that_is_none_is_an_error() {
    let frame = gray(64, 48);
    assert!(Graph::once("no_such_filter=1", frame, "test", &Context::new()).is_err());
}
