#include "base/filter_process.h"

#include <fstream>
#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

namespace {

/// A script in a folder of its own.
class Script {
 public:
  explicit Script(const std::string& text) {
    std::ofstream(path()) << "#!/bin/sh\n" << text << '\n';
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  std::filesystem::path path() const { return folder_.path() / "script"; }

 private:
  test::TemporaryDirectory folder_;
};

}  // namespace

TEST_CASE("A filter reads its input and writes its answer") {
  const Script script("cat; echo wrong >&2; exit 3");
  const base::FilterResult result = base::run_filter(script.path(), "some input");
  CHECK(result.exit_code == 3);
  CHECK(result.output == "some input");
  CHECK(result.errors == "wrong\n");
}

TEST_CASE("Much input and output hold up nobody") {
  const Script script("cat; cat /dev/null");
  const std::string much(std::size_t{2} << 20U, 'x');
  CHECK(base::run_filter(script.path(), much).output == much);
}

TEST_CASE("A filter that is killed tells by which signal") {
  CHECK(base::run_filter(Script("kill -9 $$").path(), "").exit_code == 128 + 9);
}

TEST_CASE("A filter that takes too long is ended, and one that writes too much is refused") {
  const Script endless("exec sleep 1000");
  CHECK_THROWS_WITH(base::run_filter(endless.path(), "", {.patience = std::chrono::seconds(1)}),
                    EndsWith("it takes too long"));
  const Script chatty("echo 12345");
  CHECK(base::run_filter(chatty.path(), "", {.max_output_bytes = 6}).output == "12345\n");
  CHECK_THROWS_WITH(base::run_filter(chatty.path(), "", {.max_output_bytes = 5}), EndsWith("writes too much"));
}

TEST_CASE("A filter that is not there is told by its path") {
  CHECK_THROWS_WITH(base::run_filter("/nonexistent/program", ""), ContainsSubstring("/nonexistent/program"));
}
