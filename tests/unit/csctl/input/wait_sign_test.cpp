#include "csctl/input/wait_sign.h"

#include <chrono>
#include <optional>
#include <sstream>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"

using csctl::WaitSign;

namespace {

void pass(test::ManualContext& context, std::chrono::milliseconds duration) {
  context.time.advance(duration);
  context.restart();
  context.poll();
}

}  // namespace

TEST_CASE("A person sees what is waited for from the first second on, and the line goes") {
  std::ostringstream terminal;
  test::ManualContext context;
  std::optional<WaitSign> sign(std::in_place, context.get_executor(), "registry\n", &terminal);
  pass(context, std::chrono::milliseconds(999));
  CHECK(terminal.str().empty());
  pass(context, std::chrono::milliseconds(1));
  CHECK(terminal.str() == "\r\x1b[Kwaiting for registry\\n, 1 s");
  pass(context, std::chrono::milliseconds(1000));
  CHECK_THAT(terminal.str(), ContainsSubstring("registry\\n, 2 s"));
  const std::string before = terminal.str();
  SECTION("ended") { sign->end(); }
  SECTION("gone") { sign.reset(); }
  CHECK(terminal.str() == before + "\r\x1b[K");
  pass(context, std::chrono::milliseconds(1000));
  CHECK(terminal.str() == before + "\r\x1b[K");
  CHECK(context.stopped());
}

TEST_CASE("Who is answered at once sees nothing, and neither does a program") {
  std::ostringstream terminal;
  test::ManualContext context;
  { const WaitSign sign(context.get_executor(), "registry", &terminal); }
  CHECK(terminal.str().empty());
  WaitSign nobody(context.get_executor(), "registry", nullptr);
  pass(context, std::chrono::milliseconds(5000));
  nobody.end();
  CHECK(context.stopped());
}
