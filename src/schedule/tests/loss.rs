//! The page's half when workers are lost, late, or silent.

use std::time::Duration;

use super::page::{Page, SHORT, child, limited, options, post, root, settle, worker};
use crate::schedule::{
    Completion, Config, Deadline, PageAction, PageEvent, Strategy, TaskKind, TaskOptions, Urgency,
};

#[test]
fn a_lost_worker_is_accounted_for_task_by_task() {
    let mut page = Page::new(Strategy::Parallel, 1);
    for number in 1..=5 {
        page.submit(number, TaskOptions { retries: u32::from(number == 2), ..options() });
    }
    page.handle(PageEvent::Cancelled { task: root(5) });
    let begun = Some(vec![root(1), root(2), root(3)]);
    let told = page.handle(PageEvent::Lost { worker: worker(1), culprit: Some(root(1)), begun });
    let completions = [settle(1, Completion::Blamed), settle(3, Completion::WorkerLost)];
    // The others run again on the worker that takes its place: one may, one had not begun.
    let again = [PageAction::Start { worker: worker(2) }, post(2, 2), post(2, 4)];
    assert_eq!(told, [&completions[..], &again[..]].concat());
}

#[test]
fn a_worker_that_is_gone_has_no_say() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { retries: 1, ..options() });
    page.lose(1);
    assert_eq!(page.finish(1, root(1), SHORT), []);
    let returned = PageEvent::Migrated { worker: worker(1), task: child(1, 1), options: options() };
    assert_eq!(page.handle(returned), []);
    assert_eq!(page.handle(PageEvent::Ready { worker: worker(2) }), [post(2, 1)]);
    assert_eq!(page.finish(1, root(1), SHORT), []);
    assert_eq!(page.finish(2, root(1), SHORT), [settle(1, Completion::Answered)]);
}

#[test]
fn a_task_runs_again_as_often_as_it_may() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { retries: 2, ..options() });
    for id in 2..=3 {
        assert_eq!(page.lose(id - 1), [PageAction::Start { worker: worker(id) }]);
        assert_eq!(page.handle(PageEvent::Ready { worker: worker(id) }), [post(id, 1)]);
    }
    let told = page.lose(3);
    assert_eq!(told, [settle(1, Completion::WorkerLost), PageAction::Start { worker: worker(4) }]);
}

#[test]
fn the_children_of_a_lost_worker_are_dropped_unless_they_were_let_go() {
    let mut page = Page::new(Strategy::WorkStealing, 2);
    page.submit(1, options());
    page.submit(2, options());
    for number in 1..=3 {
        page.handle(PageEvent::Migrated { worker: worker(1), task: child(1, number), options: options() });
    }
    page.handle(PageEvent::Detached { task: child(1, 2) });
    let cancelled = |number| PageAction::Settle { task: child(1, number), completion: Completion::Cancelled };
    let told = page.lose(1);
    assert_eq!(
        told,
        [
            cancelled(1),
            cancelled(3),
            settle(1, Completion::WorkerLost),
            PageAction::Start { worker: worker(3) }
        ]
    );
    let told = page.finish(2, root(2), SHORT);
    assert!(
        told.contains(&PageAction::Post { worker: worker(2), task: child(1, 2), urgency: Urgency::Now }),
        "{told:?}"
    );
}

#[test]
fn a_start_that_takes_too_long_is_ended_and_not_repeated() {
    let mut page = Page::starting(Strategy::WorkStealing, Config::default());
    page.submit(1, options());
    let overdue = Deadline::Start(worker(1));
    assert_eq!(page.wait(), [], "its page may have kept it");
    assert_eq!(
        page.wait(),
        [PageAction::Terminate { worker: worker(1), overdue }, settle(1, Completion::NoWorkers)]
    );
    assert_eq!(page.submit(2, options()), [settle(2, Completion::NoWorkers)]);
}

#[test]
fn a_timeout_counts_from_the_start_and_ends_the_worker_of_a_synchronous_task() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, limited(TaskKind::Sync));
    page.now = Duration::from_millis(50);
    page.handle(PageEvent::Began { worker: worker(1), task: root(1), options: limited(TaskKind::Sync) });
    assert_eq!(page.schedule.wake_at(), Some(Duration::from_millis(60)));
    let overdue = Deadline::Timeout(root(1));
    let terminate = PageAction::Terminate { worker: worker(1), overdue };
    assert_eq!(
        page.wait(),
        [settle(1, Completion::TimedOut), terminate, PageAction::Start { worker: worker(2) }]
    );
}

#[test]
fn an_asynchronous_task_is_told_to_stop_before_its_worker_is_ended() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, limited(TaskKind::Async));
    page.handle(PageEvent::Began { worker: worker(1), task: root(1), options: limited(TaskKind::Async) });
    let stop = PageAction::Stop { worker: worker(1), task: root(1) };
    assert_eq!(page.wait(), [settle(1, Completion::TimedOut), stop]);
    assert!(page.schedule.wake_at().is_some(), "it has its grace");
    assert_eq!(page.finish(1, root(1), SHORT), []);
    assert_eq!(page.wait(), [], "it has responded");
    assert_eq!(page.schedule.wake_at(), None);
}

#[test]
fn a_worker_that_says_nothing_while_a_task_with_a_timeout_waits_is_ended() {
    for kind in [TaskKind::Sync, TaskKind::Async] {
        let mut page = Page::new(Strategy::WorkStealing, 1);
        page.submit(1, limited(kind));
        assert_eq!(page.wait(), [PageAction::ReportRequest { worker: worker(1) }]);
        let terminate = PageAction::Terminate { worker: worker(1), overdue: Deadline::Silence(worker(1)) };
        assert_eq!(page.wait(), [terminate, PageAction::Start { worker: worker(2) }]);
        assert_eq!(page.handle(PageEvent::Ready { worker: worker(2) }), [post(2, 1)]);
    }
}

#[test]
fn a_worker_that_answers_a_question_is_not_ended_whatever_waits_on_it() {
    let mut page = Page::new(Strategy::Serial, 1);
    let waits = TaskOptions { kind: TaskKind::Async, ..options() };
    page.submit(1, waits);
    page.finish(1, root(1), SHORT);
    page.submit(2, waits);
    page.submit(3, limited(TaskKind::Sync));
    for _ in 0..100 {
        assert_eq!(page.wait(), [PageAction::ReportRequest { worker: worker(1) }]);
        page.handle(PageEvent::Reported { worker: worker(1), local: 0, resting: true });
        assert_eq!(page.wait(), [], "it has responded");
    }
}

#[test]
fn a_greeting_is_a_response() {
    let config = Config { start_timeout: Duration::from_secs(60), ..Config::default() };
    let mut page = Page::starting(Strategy::Parallel, config);
    page.submit(1, limited(TaskKind::Sync));
    assert_eq!(page.wait(), [], "it starts");
    page.handle(PageEvent::Ready { worker: worker(1) });
    assert_eq!(page.wait(), [], "it has responded");
}

#[test]
fn a_worker_that_a_named_task_keeps_busy_may_be_silent() {
    for kind in [TaskKind::Sync, TaskKind::Async] {
        let options = TaskOptions { kind, ..options() };
        let mut page = Page::new(Strategy::Parallel, 1);
        page.submit(1, options);
        page.handle(PageEvent::Began { worker: worker(1), task: root(1), options });
        page.submit(2, limited(TaskKind::Async));
        for _ in 0..100 {
            assert_eq!(page.wait(), []);
        }
        page.finish(1, root(1), SHORT);
        assert_eq!(page.wait(), [], "it has responded");
        assert_eq!(page.wait(), [PageAction::ReportRequest { worker: worker(1) }]);
        let terminate = PageAction::Terminate { worker: worker(1), overdue: Deadline::Silence(worker(1)) };
        assert_eq!(page.wait()[0], terminate);
    }
}

#[test]
fn a_worker_whose_suspended_task_may_have_gone_on_has_more_time() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { kind: TaskKind::Async, ..options() });
    page.handle(PageEvent::Suspended { worker: worker(1), task: root(1), ran: SHORT });
    page.submit(2, limited(TaskKind::Sync));
    let silent_since = page.now;
    assert_eq!(page.wait(), [PageAction::ReportRequest { worker: worker(1) }]);
    // What comes later changes nothing.
    page.submit(3, limited(TaskKind::Sync));
    let told = page.wait();
    assert_eq!(told[0], PageAction::Terminate { worker: worker(1), overdue: Deadline::Silence(worker(1)) });
    assert!(told.contains(&settle(1, Completion::WorkerLost)), "{told:?}");
    assert!(page.now - silent_since >= Config::default().start_timeout);
    let told = page.handle(PageEvent::Ready { worker: worker(2) });
    assert!(told.contains(&post(2, 2)), "{told:?}");
}

#[test]
fn a_worker_that_fails_to_take_the_place_of_a_lost_one_is_tried_again_and_again() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    assert_eq!(page.lose(1), [PageAction::Start { worker: worker(2) }]);
    let mut pause = Duration::ZERO;
    for id in 2..8 {
        // What waits fails with it, and what comes later waits for the next attempt.
        page.submit(id, options());
        assert_eq!(page.lose(id), [settle(id, Completion::NoWorkers)]);
        let failed = page.now;
        assert_eq!(page.wait(), [PageAction::Start { worker: worker(id + 1) }]);
        assert!(page.now - failed > pause, "it grows");
        pause = page.now - failed;
    }
    page.submit(9, options());
    assert_eq!(page.handle(PageEvent::Ready { worker: worker(8) }), [post(8, 9)]);
    assert_eq!(page.lose(8)[1..], [PageAction::Start { worker: worker(9) }]);
}

#[test]
fn an_aborted_task_that_does_not_stop_takes_its_worker_with_it() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, options());
    page.handle(PageEvent::Began { worker: worker(1), task: root(1), options: options() });
    let stop = PageAction::Stop { worker: worker(1), task: root(1) };
    assert_eq!(page.handle(PageEvent::Aborted { task: root(1) }), [settle(1, Completion::Cancelled), stop]);
    let terminate = PageAction::Terminate { worker: worker(1), overdue: Deadline::Grace(root(1)) };
    assert_eq!(page.wait(), [terminate, PageAction::Start { worker: worker(2) }]);
}

#[test]
fn nothing_is_posted_to_a_worker_that_may_have_to_end_for_an_aborted_task() {
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        let mut page = Page::new(strategy, 1);
        page.submit(1, options());
        page.handle(PageEvent::Aborted { task: root(1) });
        assert_eq!(page.submit(2, options()), [], "{strategy:?}");
        let answered = page.finish(1, root(1), SHORT);
        assert_eq!(answered, [post(1, 2)], "{strategy:?}");
    }
}

#[test]
fn an_aborted_task_that_has_not_begun_is_not_to_blame() {
    let mut page = Page::new(Strategy::Parallel, 1);
    page.submit(1, options());
    page.submit(2, options());
    page.handle(PageEvent::Began { worker: worker(1), task: root(1), options: options() });
    page.handle(PageEvent::Aborted { task: root(2) });
    assert_eq!(page.wait(), []);
    assert_eq!(page.finish(1, root(1), SHORT), [settle(1, Completion::Answered)]);
}

#[test]
fn an_aborted_task_that_may_wait_behind_others_has_more_time() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, options());
    page.finish(1, root(1), SHORT);
    for number in 2..=3 {
        assert_eq!(page.submit(number, options()), [post(1, number)]);
    }
    page.handle(PageEvent::Aborted { task: root(3) });
    let aborted = page.now;
    let told = page.wait();
    assert_eq!(told[0], PageAction::Terminate { worker: worker(1), overdue: Deadline::Grace(root(3)) });
    assert_eq!(page.now - aborted, 20 * Config::default().grace);
}

#[test]
fn a_task_that_has_begun_has_more_time_to_stop_while_others_would_pay_for_it() {
    for kind in [TaskKind::Sync, TaskKind::Async] {
        for innocents in [0, 1] {
            let mut page = Page::new(Strategy::Parallel, 1);
            let options = TaskOptions { kind, ..options() };
            for number in 1..=2 + innocents {
                page.submit(number, options);
            }
            page.handle(PageEvent::Began { worker: worker(1), task: root(1), options });
            // The second is stopped as well: it has nothing to lose.
            page.handle(PageEvent::Aborted { task: root(2) });
            page.handle(PageEvent::Aborted { task: root(1) });
            let aborted = page.now;
            let ended = PageAction::Terminate { worker: worker(1), overdue: Deadline::Grace(root(1)) };
            let told = std::iter::repeat_with(|| page.wait()).find(|told| told.contains(&ended));
            assert!(told.is_some());
            let patience = if innocents == 0 { 1 } else { 20 };
            assert_eq!(page.now - aborted, patience * Config::default().grace, "{kind:?}, {innocents}");
        }
    }
}

#[test]
fn a_worker_is_not_ended_for_an_aborted_task_while_it_says_something() {
    let asynchronous = TaskOptions { kind: TaskKind::Async, ..options() };
    for strategy in [Strategy::Serial, Strategy::WorkStealing] {
        let mut page = Page::new(strategy, 1);
        page.submit(1, asynchronous);
        page.handle(PageEvent::Began { worker: worker(1), task: root(1), options: asynchronous });
        page.handle(PageEvent::Aborted { task: root(1) });
        for _ in 0..3 {
            page.handle(PageEvent::Reported { worker: worker(1), local: 0, resting: false });
            assert_eq!(page.wait(), [], "its thread is free now and then");
        }
        let terminate = PageAction::Terminate { worker: worker(1), overdue: Deadline::Grace(root(1)) };
        assert_eq!(page.wait()[0], terminate);
    }
}

#[test]
fn a_worker_s_own_task_with_a_timeout_is_watched_too() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { kind: TaskKind::Async, ..options() });
    page.handle(PageEvent::Began { worker: worker(1), task: child(1, 1), options: limited(TaskKind::Sync) });
    let terminate = PageAction::Terminate { worker: worker(1), overdue: Deadline::Timeout(child(1, 1)) };
    assert_eq!(
        page.wait(),
        [terminate, settle(1, Completion::WorkerLost), PageAction::Start { worker: worker(2) }]
    );
}

#[test]
fn a_lost_worker_is_replaced_only_if_its_pool_wants_that() {
    let mut page = Page::starting(Strategy::Parallel, Config { replace: false, ..Config::default() });
    page.handle(PageEvent::Ready { worker: worker(1) });
    assert_eq!(page.submit(1, options()), [post(1, 1)]);
    assert_eq!(page.lose(1), [settle(1, Completion::WorkerLost)]);
    assert_eq!(page.submit(2, options()), [settle(2, Completion::NoWorkers)]);
}

#[test]
fn a_worker_that_greets_and_goes_before_it_has_run_a_task_is_not_replaced_without_a_pause() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    let lost = |id| PageEvent::Lost { worker: worker(id), culprit: None, begun: Some(Vec::new()) };
    page.submit(1, options());
    assert_eq!(page.handle(lost(1)), [PageAction::Start { worker: worker(2) }]);
    for id in 2..5 {
        let number = id - 1;
        assert_eq!(page.handle(PageEvent::Ready { worker: worker(id) }), [post(id, number)]);
        assert_eq!(page.handle(lost(id)), [settle(number, Completion::NoWorkers)]);
        assert_eq!(page.submit(id, options()), []);
        assert_eq!(page.wait(), [PageAction::Start { worker: worker(id + 1) }]);
    }
    page.handle(PageEvent::Ready { worker: worker(5) });
    page.finish(5, root(4), SHORT);
    assert_eq!(page.handle(lost(5)), [PageAction::Start { worker: worker(6) }]);
}

#[test]
fn a_name_that_comes_again_ends_the_worker_that_still_has_it() {
    let mut page = Page::new(Strategy::WorkStealing, 2);
    page.submit(1, options());
    let returned = || PageEvent::Migrated { worker: worker(1), task: child(1, 1), options: options() };
    let posted = |id| PageAction::Post { worker: worker(id), task: child(1, 1), urgency: Urgency::Now };
    assert_eq!(page.handle(returned()), [posted(2)]);
    let stopped = page.handle(PageEvent::Cancelled { task: child(1, 1) });
    assert!(stopped.contains(&PageAction::Stop { worker: worker(2), task: child(1, 1) }), "{stopped:?}");
    // It has not stopped when its maker has used up all other numbers.
    assert!(page.schedule.is_new(worker(1), child(1, 1)));
    let told = page.handle(returned());
    let ended = PageAction::Terminate { worker: worker(2), overdue: Deadline::Grace(child(1, 1)) };
    assert!(told.contains(&ended), "{told:?}");
    assert!(told.contains(&PageAction::Start { worker: worker(3) }), "{told:?}");
    assert_eq!(page.handle(PageEvent::Ready { worker: worker(3) }), [posted(3)]);
    let answered = PageAction::Settle { task: child(1, 1), completion: Completion::Answered };
    assert_eq!(page.finish(3, child(1, 1), SHORT)[0], answered);
}
