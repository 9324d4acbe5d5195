#include "launcher/clean_up.h"

#include <memory>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/run.h"

using base::Awaitable;

namespace {

Awaitable<void> note(std::vector<std::string>& done, std::string what) {
  done.push_back(std::move(what));
  co_return;
}

Awaitable<void> fail() {
  throw base::Error("it is stuck");
  co_return;
}

}  // namespace

TEST_CASE("all is undone once, the newest first, whatever fails") {
  asio::io_context context;
  launcher::CleanUp clean_up;
  std::vector<std::string> done;
  clean_up.add("the first", [&] { return note(done, "the first"); });
  clean_up.add("opening the door", [] { return fail(); });
  clean_up.add("the last", [&] { return note(done, "the last"); });
  const test::CapturedLog log;
  test::run(context, clean_up.run());
  CHECK(done == std::vector<std::string>{"the last", "the first"});
  CHECK(log.count("level=ERROR") == 1);
  CHECK_THAT(log.text(), ContainsSubstring(R"(msg="opening the door failed" error="it is stuck")"));
  test::run(context, clean_up.run());
  CHECK(done.size() == 2);
}

TEST_CASE("what is undone is not gone before all is") {
  asio::io_context context;
  launcher::CleanUp clean_up;
  auto thing = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = thing;
  std::vector<std::string> done;
  clean_up.add("the first", [&] {
    CHECK_FALSE(seen.expired());
    return note(done, "the first");
  });
  clean_up.add("the last", [&, held = std::move(thing)] { return note(done, "the last"); });
  test::run(context, clean_up.run());
  CHECK(done.size() == 2);
  CHECK_FALSE(seen.expired());
}
