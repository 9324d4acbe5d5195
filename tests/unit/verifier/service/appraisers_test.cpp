#include "verifier/service/appraisers.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using verifier::Appraisers;

namespace {

/// Jobs wait in it until as many as are expected have come.
class Meeting {
 public:
  explicit Meeting(int expected) : expected_(expected) {}

  void attend() {
    std::unique_lock lock(mutex_);
    ++there_;
    all_there_.notify_all();
    all_there_.wait(lock, [this] { return there_ >= expected_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_there_;
  int expected_;
  int there_ = 0;
};

}  // namespace

TEST_CASE("a job runs on another thread and gives back what it returns or throws") {
  asio::io_context context;
  Appraisers appraisers(context.get_executor(), 1);
  const auto thread = test::run(context, appraisers.run([] { return std::this_thread::get_id(); }));
  CHECK(thread != std::this_thread::get_id());
  const auto fails = []() -> int { throw base::InvalidInput("evidence", "is none"); };
  CHECK_THROWS_AS(test::run(context, appraisers.run(fails)), base::InvalidInput);
  CHECK(test::run(context, appraisers.run([] { return 7; })) == 7);
}

TEST_CASE("as many jobs as there are threads run side by side") {
  asio::io_context context;
  Appraisers appraisers(context.get_executor(), 2);
  Meeting meeting(2);
  const auto job = [&] {
    meeting.attend();
    return 1;
  };
  CHECK(test::run(context, base::both(appraisers.run(job), appraisers.run(job))) == std::pair(1, 1));
}

TEST_CASE("who waits for a thread can be cancelled, and never runs") {
  asio::io_context context;
  Appraisers appraisers(context.get_executor(), 1);
  Meeting meeting(2);
  std::atomic<int> ran = 0;
  const auto first = [&] {
    meeting.attend();
    return ++ran;
  };
  const auto second = [&] { return ++ran; };
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  int value = 0;
  asio::co_spawn(context, appraisers.run(first), [&](const std::exception_ptr&, int result) { value = result; });
  asio::co_spawn(context, appraisers.run(second),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& f, int) { failure = f; }));
  context.poll();  // one runs, the other waits
  signal.emit(asio::cancellation_type::terminal);
  meeting.attend();
  context.restart();
  context.run();
  CHECK(value == 1);
  CHECK(ran == 1);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  CHECK(test::run(context, appraisers.run(second)) == 2);
}

TEST_CASE("a job that nobody waits for any more runs to its end, and its place with it") {
  asio::io_context context;
  Appraisers appraisers(context.get_executor(), 1);
  Meeting meeting(2);
  std::atomic<bool> is_over = false;
  const auto job = [&] {
    meeting.attend();
    is_over = true;
    return 1;
  };
  asio::cancellation_signal signal;
  bool is_cancelled = false;
  asio::co_spawn(context, appraisers.run(job),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& failure, int) {
                   is_cancelled = failure != nullptr;
                 }));
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  context.restart();
  context.poll();
  CHECK(is_cancelled);
  // The next one waits for the place, which the first still has.
  int value = 0;
  asio::co_spawn(context, appraisers.run([&] { return is_over ? 2 : 0; }),
                 [&](const std::exception_ptr&, int result) { value = result; });
  context.restart();
  context.poll();
  meeting.attend();
  context.restart();
  context.run();
  CHECK(value == 2);
}
