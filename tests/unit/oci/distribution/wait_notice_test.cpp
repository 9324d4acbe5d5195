#include "oci/distribution/wait_notice.h"

#include <optional>

#include <boost/asio/io_context.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"

namespace oci {

TEST_CASE("C 8: a wait is told again and again until it is over, and not before it is long") {
  const test::CapturedLog log;
  asio::io_context context;
  constexpr base::Milliseconds kShort{1};
  std::optional<WaitNotice> notice(std::in_place, context.get_executor(), "registry.example", "manifest 1.0", kShort,
                                   kShort);
  while (log.count("waiting for the registry") < 3) context.run_one();
  CHECK_THAT(log.text(), ContainsSubstring("host=registry.example for=\"manifest 1.0\" waited_sec="));
  SECTION("ended") { notice->end(); }
  SECTION("gone") { notice.reset(); }
  const std::size_t lines = log.count("waiting for the registry");
  context.run();  // nothing is left to do
  CHECK(log.count("waiting for the registry") == lines);

  constexpr base::Milliseconds kLong{60000};
  const WaitNotice other(context.get_executor(), "registry.example", "manifest 1.0", kLong, kLong);
  context.restart();
  context.poll();
  CHECK(log.count("waiting for the registry") == lines);
}

}  // namespace oci
