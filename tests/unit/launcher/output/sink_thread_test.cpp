#include "launcher/output/sink_thread.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using launcher::Output;
using launcher::OutputStream;
using launcher::SinkThread;

namespace {

/// A sink that takes nothing before it is let.
class Barrier {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void expect_visitor() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, test::kTestDeadline, [this] { return waiting_ > 0; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

Output line(std::string text) { return {OutputStream::kStdout, std::move(text)}; }

constexpr base::Milliseconds kLong{60000};

}  // namespace

TEST_CASE("a sink gets everything in its order, and the end is waited for") {
  asio::io_context context;
  std::vector<std::string> taken;
  SinkThread sink(context.get_executor(), "test", [&](const Output& output) { taken.push_back(output.bytes); });
  for (int i = 0; i < 1000; ++i) sink.offer(line(std::to_string(i)));
  CHECK(test::run(context, sink.finish(kLong)));
  REQUIRE(taken.size() == 1000);
  CHECK(taken.front() == "0");
  CHECK(taken.back() == "999");
  CHECK(sink.dropped() == 0);
}

TEST_CASE("a sink that is blocked holds nobody up; what finds no room is counted and told") {
  asio::io_context context;
  Barrier gate;
  std::vector<Output> taken;
  SinkThread sink(context.get_executor(), "test", [&](const Output& output) {
    gate.wait();
    taken.push_back(output);
  });
  const std::string large(launcher::kMaxQueuedOutputBytes / 4, 'x');
  sink.offer(line("first"));
  gate.expect_visitor();
  for (int i = 0; i < 3; ++i) sink.offer(line(large));
  sink.offer(line(large));             // too much
  sink.offer(line(large + "\n\n\n"));  // as well: three lines
  sink.offer(line("fits"));
  CHECK(sink.dropped() == 4);
  gate.open();
  CHECK(test::run(context, sink.finish(kLong)));
  REQUIRE(taken.size() == 6);
  CHECK(taken[4].stream == OutputStream::kStderr);
  CHECK(taken[4].bytes == "[cs-launcher: 4 lines of output were dropped]\n");
  CHECK(taken[5].bytes == "fits");
}

TEST_CASE("that something was dropped is told at the end, too") {
  asio::io_context context;
  Barrier gate;
  std::vector<std::string> taken;
  SinkThread sink(context.get_executor(), "test", [&](const Output& output) {
    gate.wait();
    taken.push_back(output.bytes);
  });
  sink.offer(line("first"));
  gate.expect_visitor();
  sink.offer(line(std::string(launcher::kMaxQueuedOutputBytes, 'x')));
  gate.open();
  CHECK(test::run(context, sink.finish(kLong)));
  CHECK(taken == std::vector<std::string>{"first", "[cs-launcher: 1 lines of output were dropped]\n"});
}

TEST_CASE("a sink that stays blocked is left behind") {
  test::ManualContext context;
  const auto gate = std::make_shared<Barrier>();
  auto sink = std::make_unique<SinkThread>(context.get_executor(), "test", [gate](const Output&) { gate->wait(); });
  sink->offer(line("x"));
  gate->expect_visitor();
  CHECK_FALSE(context.time.run(sink->finish(kLong)));
  sink.reset();
  gate->open();
}

TEST_CASE("a sink that fails gets nothing more, and the log says why") {
  const test::CapturedLog log;
  asio::io_context context;
  int calls = 0;
  SinkThread sink(context.get_executor(), "console", [&](const Output&) {
    ++calls;
    throw base::Error("no such device");
  });
  sink.offer(line("x"));
  sink.offer(line("y"));
  CHECK_FALSE(test::run(context, sink.finish(kLong)));
  CHECK(calls == 1);
  CHECK_THAT(log.text(), ContainsSubstring("sink=console") && ContainsSubstring("no such device"));
}
