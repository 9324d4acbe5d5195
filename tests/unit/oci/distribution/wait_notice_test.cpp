#include "oci/distribution/wait_notice.h"

#include <optional>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/captured_log.h"

namespace oci {

TEST_CASE("a wait is told again and again until it is over, and not before it is long") {
  const test::CapturedLog log;
  test::ManualContext context;
  constexpr base::Milliseconds kFirst{2000};
  constexpr base::Milliseconds kThen{15000};
  std::optional<WaitNotice> notice(std::in_place, context.get_executor(), "registry.example", "manifest 1.0", kFirst,
                                   kThen);
  const auto lines_after = [&](base::Milliseconds duration) {
    context.time.advance(duration);
    context.restart();
    context.poll();
    return log.count("waiting for the registry");
  };
  CHECK(lines_after(kFirst - base::Milliseconds{1}) == 0);
  CHECK(lines_after(base::Milliseconds{1}) == 1);
  CHECK(lines_after(kThen - base::Milliseconds{1}) == 1);
  CHECK(lines_after(base::Milliseconds{1}) == 2);
  CHECK_THAT(log.text(), ContainsSubstring("host=registry.example for=\"manifest 1.0\" waited_sec=17"));
  SECTION("ended") { notice->end(); }
  SECTION("gone") { notice.reset(); }
  CHECK(lines_after(kThen) == 2);
  CHECK(context.stopped());  // nothing is left to do
}

}  // namespace oci
