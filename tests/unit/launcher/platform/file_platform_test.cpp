#include "launcher/platform/file_platform.h"

#include <fstream>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

TEST_CASE("a local file serves attributes and nothing else") {
  const test::TemporaryDirectory directory;
  asio::io_context context;
  std::ofstream(directory.path() / "m.json") << R"({"tee-image-reference":"x"})";
  launcher::FilePlatform metadata(directory.path() / "m.json");
  CHECK(test::run(context, metadata.attributes()) == launcher::Attributes{{"tee-image-reference", "x"}});
  CHECK_FALSE(test::run(context, metadata.location()).has_value());
  CHECK_FALSE(test::run(context, metadata.access_token()).has_value());
  CHECK_FALSE(test::run(context, metadata.identity_token("a")).has_value());
  launcher::FilePlatform absent(directory.path() / "absent.json");
  CHECK_THROWS_WITH(test::run(context, absent.attributes()), ContainsSubstring("absent.json"));
}
