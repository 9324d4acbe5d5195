#include "launcher/output/cloud_log.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"

using base::Awaitable;
using base::Milliseconds;
using launcher::CloudLog;
using launcher::LogEntry;

namespace {

base::Error passing() {
  base::Error error("busy");
  error.set_transience(base::Transience::kMayPass);
  return error;
}

struct World {
  test::CapturedLog said;
  test::ManualContext context;
  std::vector<std::vector<std::string>> batches;  ///< the texts that were written
  std::vector<std::string> ids;
  std::vector<base::Error> failures;  ///< of the next writes
  bool hangs = false;
  CloudLog log{context.get_executor(), base::Clock::system()};

  void add(const std::string& text, CloudLog::Speaker speaker = CloudLog::Speaker::kLauncher) {
    log.add(speaker, "INFO", {{"MESSAGE", text}});
  }

  void start() {
    log.start([this](std::vector<LogEntry> entries) { return write(std::move(entries)); });
  }

  Awaitable<void> write(std::vector<LogEntry> entries) {
    if (hangs) co_await base::Event(context.get_executor()).wait();
    if (!failures.empty()) {
      const base::Error failure = failures.front();
      failures.erase(failures.begin());
      throw base::Error(failure);
    }
    std::vector<std::string> texts;
    for (const LogEntry& entry : entries) {
      texts.push_back(entry.payload.at("MESSAGE").get<std::string>());
      ids.push_back(entry.id);
    }
    batches.push_back(std::move(texts));
    co_return;
  }

  void finish() { context.time.run(log.finish(Milliseconds(5000)), Milliseconds(6000)); }
  void pass(int milliseconds) {
    context.time.run(base::sleep_for(context.get_executor(), Milliseconds(milliseconds)), Milliseconds(milliseconds));
  }
};

using Batches = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("entries are written together, those from before the start first") {
  World world;
  world.add("early");
  world.start();
  world.add("one");
  world.pass(1100);
  CHECK(world.batches == Batches{{"early", "one"}});
  std::thread([&] {
    world.add("two");
    world.add("three");
  }).join();
  world.pass(1100);
  world.finish();
  CHECK(world.batches == Batches{{"early", "one"}, {"two", "three"}});
  CHECK(std::set<std::string>(world.ids.begin(), world.ids.end()).size() == 4);
}

TEST_CASE("what is left at the end is written without a wait") {
  World world;
  world.start();
  world.add("last words");
  world.finish();
  CHECK(world.batches == Batches{{"last words"}});
  world.add("too late");
  world.pass(5000);
  CHECK(world.batches.size() == 1);
}

TEST_CASE("what may pass is tried again, and nothing is lost or written out of order") {
  World world;
  world.failures.assign(3, passing());
  world.start();
  world.add("one");
  world.pass(1100);
  world.add("two");
  CHECK(world.batches.empty());
  world.pass(10000);
  CHECK(world.batches == Batches{{"one"}, {"two"}});
  world.finish();
}

TEST_CASE("what is refused is lost, and later entries are not") {
  World world;
  world.failures.assign(1, base::Error("no permission"));
  world.start();
  world.add("one");
  world.pass(1100);
  world.add("two");
  world.pass(1100);
  CHECK(world.batches == Batches{{"two"}});
  world.finish();
  CHECK_THAT(world.said.text(),
             ContainsSubstring("lines of the log do not reach the cloud\" error=\"no permission\"") &&
                 ContainsSubstring("were lost for the cloud\" lines_at_most=1"));
}

TEST_CASE("a log that takes nothing does not hold up the end, and what is lost is told") {
  World world;
  world.failures.assign(1000, passing());
  world.start();
  world.add("one");
  world.pass(1100);
  world.add("two");
  world.finish();
  CHECK(world.batches.empty());
  CHECK(world.failures.size() > 900);
  CHECK_THAT(world.said.text(), ContainsSubstring("were lost for the cloud\" lines_at_most=2"));
}

TEST_CASE("a request that hangs at the end is broken off, and what it had is told") {
  World world;
  world.start();
  world.hangs = true;
  world.add("one");
  world.pass(1100);
  world.add("two");
  world.add("three");
  world.finish();
  CHECK(world.batches.empty());
  CHECK_THAT(world.said.text(), ContainsSubstring("were lost for the cloud\" lines_at_most=3"));
}

TEST_CASE("what could not begin to be written is told at the end") {
  World world;
  world.add("one");
  world.finish();
  CHECK_THAT(world.said.text(), ContainsSubstring("were lost for the cloud\" lines_at_most=1"));
}

TEST_CASE("a log that nobody takes keeps nothing and says nothing") {
  World world;
  world.add("one");
  world.log.give_up();
  world.add("two");
  world.finish();
  CHECK(world.said.text().empty());
}

TEST_CASE("what may pass is tried again at the end, too") {
  World world;
  world.failures.assign(3, passing());
  world.start();
  world.add("last words");
  world.finish();
  CHECK(world.batches == Batches{{"last words"}});
}

TEST_CASE("no more waits than there is room for, and some of it is the launcher's") {
  World world;
  const std::string text(100000, 'x');
  for (int i = 0; i < 100; ++i) world.add(text, CloudLog::Speaker::kWorkload);
  for (int i = 0; i < 3; ++i) world.add("the launcher's");
  world.start();
  world.finish();
  std::size_t written = 0;
  for (const auto& batch : world.batches) {
    CHECK(batch.size() <= launcher::kMaxLogBatchBytes / text.size() + 3);
    written += batch.size();
  }
  const std::size_t taken = (launcher::kMaxQueuedLogBytes - launcher::kReservedLogBytes) / (text.size() + 256 + 14);
  CHECK(written == taken + 3);
  CHECK_THAT(world.said.text(), ContainsSubstring("lines_at_most=" + std::to_string(100 - taken)));
}

TEST_CASE("an entry is as long as the API takes one") {
  World world;
  const std::size_t besides = 256 + 14;
  world.add(std::string(launcher::kMaxLogBatchBytes - besides, 'x'));
  world.add(std::string(launcher::kMaxLogBatchBytes - besides + 1, 'x'));
  world.add("short");
  world.start();
  world.finish();
  REQUIRE(world.batches.size() == 2);
  CHECK(world.batches[1] == std::vector<std::string>{"short"});
  CHECK_THAT(world.said.text(), ContainsSubstring("lines_at_most=1"));
}

TEST_CASE("ids have the order of their entries, as text") {
  World world;
  for (int i = 0; i < 12; ++i) world.add("x");
  world.start();
  world.finish();
  REQUIRE(world.ids.size() == 12);
  CHECK(std::is_sorted(world.ids.begin(), world.ids.end()));
}
