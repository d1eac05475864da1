//! The page's half, scenario by scenario.

use std::time::Duration;

use crate::schedule::{
    Completion, Config, PageAction, PageEvent, Schedule, Site, Strategy, TaskId, TaskKind, TaskOptions,
    Urgency, WorkerId,
};

pub(super) const SHORT: Duration = Duration::from_micros(10);

pub(super) fn worker(id: u32) -> WorkerId {
    WorkerId(id)
}

pub(super) fn root(number: u32) -> TaskId {
    TaskId { maker: WorkerId::PAGE, number }
}

pub(super) fn child(maker: u32, number: u32) -> TaskId {
    TaskId { maker: worker(maker), number }
}

pub(super) fn options() -> TaskOptions {
    TaskOptions::new(Site(1), TaskKind::Sync)
}

pub(super) fn limited(kind: TaskKind) -> TaskOptions {
    TaskOptions { kind, timeout: Some(Duration::from_millis(10)), ..options() }
}

/// A schedule, and what it said last.
pub(super) struct Page {
    pub(super) schedule: Schedule,
    pub(super) now: Duration,
    started: u32,
}

impl Page {
    /// All workers have greeted.
    pub(super) fn new(strategy: Strategy, threads: usize) -> Self {
        let mut page = Self::starting(strategy, Config { threads, ..Config::default() });
        for id in 1..=page.started {
            page.handle(PageEvent::Ready { worker: worker(id) });
        }
        page
    }

    pub(super) fn starting(strategy: Strategy, config: Config) -> Self {
        let mut actions = Vec::new();
        let schedule = Schedule::open(strategy, config, Duration::ZERO, &mut actions);
        let started = u32::try_from(actions.len()).expect("there are few");
        Self { schedule, now: Duration::ZERO, started }
    }

    pub(super) fn handle(&mut self, event: PageEvent) -> Vec<PageAction> {
        let mut actions = self.say(event);
        // Most tests are about who gets what.
        for action in &mut actions {
            if let PageAction::Post { urgency, .. } = action {
                *urgency = Urgency::Now;
            }
        }
        actions
    }

    pub(super) fn say(&mut self, event: PageEvent) -> Vec<PageAction> {
        let mut actions = Vec::new();
        self.schedule.handle(self.now, event, &mut actions);
        actions
    }

    pub(super) fn submit(&mut self, number: u32, options: TaskOptions) -> Vec<PageAction> {
        self.handle(PageEvent::Submitted { task: root(number), options })
    }

    pub(super) fn finish(&mut self, id: u32, task: TaskId, ran: Duration) -> Vec<PageAction> {
        self.handle(PageEvent::Finished { worker: worker(id), task, ran: Some(ran) })
    }

    pub(super) fn lose(&mut self, id: u32) -> Vec<PageAction> {
        self.handle(PageEvent::Lost { worker: worker(id), culprit: None, begun: None })
    }

    /// Lets the time pass to the next deadline, and its completion.
    pub(super) fn wait(&mut self) -> Vec<PageAction> {
        self.now = self.schedule.wake_at().expect("a deadline is set");
        let first = self.handle(PageEvent::Woken);
        assert_eq!(first, [], "what has been posted is heard before a completion");
        self.handle(PageEvent::Woken)
    }
}

pub(super) fn post(id: u32, number: u32) -> PageAction {
    PageAction::Post { worker: worker(id), task: root(number), urgency: Urgency::Now }
}

pub(super) fn settle(number: u32, completion: Completion) -> PageAction {
    PageAction::Settle { task: root(number), completion }
}

#[test]
fn nothing_is_posted_behind_a_task_of_unknown_or_long_cost() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    assert_eq!(page.submit(1, options()), [post(1, 1)]);
    assert_eq!(page.submit(2, options()), []);
    assert_eq!(
        page.finish(1, root(1), Duration::from_millis(5)),
        [settle(1, Completion::Answered), post(1, 2)]
    );
    assert_eq!(page.submit(3, options()), []);
}

#[test]
fn short_tasks_are_posted_ahead_many_at_a_time() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, options());
    page.finish(1, root(1), SHORT);
    // Until they fill six round trips, and
    let posted =
        (2..200).filter(|number| page.submit(*number, options()) == [post(1, *number)]).count() as u64;
    assert!((60..=65).contains(&posted), "{posted}");
    // none again while they still fill two.
    let answers = (2..200).map(|number| page.finish(1, root(number), SHORT).len() - 1);
    let refills = answers.enumerate().filter(|(_, posts)| *posts > 0).take(2).collect::<Vec<_>>();
    let [(first, posts), (second, _)] = refills[..] else { panic!("{refills:?}") };
    assert!((40..=45).contains(&first) && (40..=45).contains(&posts), "{refills:?}");
    assert_eq!(second, first + posts);
}

#[test]
fn tasks_go_to_the_worker_that_has_none() {
    let mut page = Page::new(Strategy::WorkStealing, 2);
    page.submit(1, options());
    page.finish(1, root(1), SHORT);
    assert_eq!(page.submit(2, options()), [post(1, 2)]);
    assert_eq!(page.submit(3, options()), [post(2, 3)]);
}

#[test]
fn nothing_is_posted_behind_a_synchronous_task_with_a_timeout() {
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        let mut page = Page::new(strategy, 1);
        page.submit(1, options());
        page.finish(1, root(1), SHORT);
        assert_eq!(page.submit(2, limited(TaskKind::Sync)), [post(1, 2)]);
        assert_eq!(page.submit(3, options()), [], "{strategy:?}");
        page.handle(PageEvent::Began { worker: worker(1), task: root(2), options: limited(TaskKind::Sync) });
        assert_eq!(page.submit(4, options()), [], "{strategy:?}");
        let told = page.finish(1, root(2), SHORT);
        assert!(told.contains(&post(1, 3)), "{strategy:?}: {told:?}");
    }
}

#[test]
fn parallel_posts_at_once_to_the_least_loaded_worker_even_before_it_is_up() {
    let mut page = Page::starting(Strategy::Parallel, Config { threads: 2, ..Config::default() });
    let told = (1..=4).flat_map(|number| page.submit(number, options())).collect::<Vec<_>>();
    assert_eq!(told, [post(1, 1), post(2, 2), post(1, 3), post(2, 4)]);
    // What was posted to a worker that never came up has not begun.
    assert_eq!(page.lose(1), [post(2, 1), post(2, 3)]);
}

#[test]
fn a_queue_is_full_by_what_waits_and_idle_workers_make_room() {
    let config = Config { threads: 2, max_queue: Some(1), ..Config::default() };
    let mut page = Page::starting(Strategy::WorkStealing, config);
    page.handle(PageEvent::Ready { worker: worker(1) });
    page.handle(PageEvent::Ready { worker: worker(2) });
    assert_eq!(page.submit(1, options()), [post(1, 1)]);
    assert_eq!(page.submit(2, options()), [post(2, 2)]);
    assert!(!page.schedule.is_full());
    assert_eq!(page.submit(3, options()), []);
    assert!(page.schedule.is_full());
    // Children are not counted.
    page.handle(PageEvent::Migrated { worker: worker(1), task: child(1, 1), options: options() });
    assert_eq!(page.schedule.queued(), 1);
}

#[test]
fn a_task_that_was_posted_behind_another_counts_as_queued_until_it_is_known_to_have_begun() {
    let config = Config { max_queue: Some(1), ..Config::default() };
    let mut page = Page::starting(Strategy::Parallel, config);
    page.handle(PageEvent::Ready { worker: worker(1) });
    assert_eq!(page.submit(1, options()), [post(1, 1)]);
    assert_eq!(page.submit(2, options()), [post(1, 2)]);
    assert!(page.schedule.is_full());
    page.handle(PageEvent::Began { worker: worker(1), task: root(2), options: options() });
    assert!(!page.schedule.is_full());
    assert_eq!(page.submit(3, options()), [post(1, 3)]);
}

#[test]
fn a_task_keeps_its_place_in_the_line() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { retries: 1, ..options() });
    page.submit(2, options());
    assert_eq!(page.lose(1), [PageAction::Start { worker: worker(2) }]);
    assert_eq!(page.handle(PageEvent::Ready { worker: worker(2) }), [post(2, 1)]);
}

#[test]
fn a_worker_with_tasks_to_spare_is_asked_once_for_those_that_have_none() {
    let mut page = Page::new(Strategy::WorkStealing, 2);
    page.submit(1, options());
    // It began as if it had been asked.
    let returned =
        |number| PageEvent::Migrated { worker: worker(1), task: child(1, number), options: options() };
    assert_eq!(
        page.handle(returned(1)),
        [PageAction::Post { worker: worker(2), task: child(1, 1), urgency: Urgency::Now }]
    );
    let told = page.finish(2, child(1, 1), Duration::from_millis(2));
    assert!(told.contains(&PageAction::StealRequest { worker: worker(1), idle: 1 }), "{told:?}");
    page.handle(PageEvent::Reported { worker: worker(2), local: 0, resting: true });
    assert_eq!(page.submit(2, options()), [post(2, 2)]);
    assert_eq!(page.finish(2, root(2), Duration::from_millis(2)), [settle(2, Completion::Answered)]);
}

#[test]
fn a_task_that_waits_makes_room() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { kind: TaskKind::Async, ..options() });
    assert_eq!(page.submit(2, options()), []);
    let waits = PageEvent::Suspended { worker: worker(1), task: root(1), ran: SHORT };
    assert_eq!(page.handle(waits), [post(1, 2)]);
}

#[test]
fn closing_refuses_tasks_and_takes_children() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    page.submit(1, TaskOptions { kind: TaskKind::Async, ..options() });
    page.handle(PageEvent::Suspended { worker: worker(1), task: root(1), ran: SHORT });
    assert_eq!(page.handle(PageEvent::Closing), []);
    assert_eq!(page.submit(2, options()), [settle(2, Completion::Closed)]);
    let returned = PageEvent::Migrated { worker: worker(1), task: child(1, 1), options: options() };
    assert_eq!(
        page.handle(returned),
        [PageAction::Post { worker: worker(1), task: child(1, 1), urgency: Urgency::Now }]
    );
    page.handle(PageEvent::Reported { worker: worker(1), local: 1, resting: false });
    page.finish(1, child(1, 1), SHORT);
    assert_eq!(page.finish(1, root(1), SHORT), [settle(1, Completion::Answered)]);
    let done = PageEvent::Reported { worker: worker(1), local: 0, resting: true };
    assert_eq!(page.handle(done), [PageAction::Closed]);
}

#[test]
fn only_what_takes_less_than_its_message_may_wait_behind_others() {
    let mut page = Page::new(Strategy::WorkStealing, 1);
    let submit = |page: &mut Page, number| {
        let told = page.say(PageEvent::Submitted { task: root(number), options: options() });
        match told[..] {
            [PageAction::Post { urgency, .. }] => urgency,
            _ => panic!("{told:?}"),
        }
    };
    assert_eq!(submit(&mut page, 1), Urgency::Now);
    page.finish(1, root(1), Duration::from_micros(50));
    assert_eq!(submit(&mut page, 2), Urgency::Now);
    assert_eq!(submit(&mut page, 3), Urgency::Soon);
    for number in [2, 3] {
        page.finish(1, root(number), Duration::from_micros(1));
    }
    for number in 4..40 {
        submit(&mut page, number);
        page.finish(1, root(number), Duration::from_micros(1));
    }
    assert_eq!(submit(&mut page, 40), Urgency::Now);
    assert_eq!(submit(&mut page, 41), Urgency::Late);
}

#[test]
fn a_pinned_task_goes_to_its_worker_and_nowhere_else() {
    let mut page = Page::new(Strategy::WorkStealing, 2);
    let pin = PageEvent::Pinned { worker: worker(2), task: root(1), options: options() };
    assert_eq!(page.handle(pin), [post(2, 1)]);
    let lost = PageEvent::Lost { worker: worker(2), culprit: None, begun: Some(Vec::new()) };
    let told = page.handle(lost);
    assert!(told.contains(&settle(1, Completion::WorkerLost)), "{told:?}");
    let gone = PageEvent::Pinned { worker: worker(2), task: root(2), options: options() };
    assert_eq!(page.handle(gone), [settle(2, Completion::NoWorkers)]);
}
