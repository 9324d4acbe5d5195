#include "launcher/host/kernel_command_line.h"

#include <fstream>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

TEST_CASE("an image is hardened when its kernel's command line has the word, and nothing like it") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "cmdline";
  const auto hardened = [&path](const std::string& text) {
    std::ofstream(path) << text;
    return launcher::is_hardened(path);
  };
  CHECK(hardened("confidential-space.hardened=true"));
  CHECK(hardened("root=/dev/dm-0 ro confidential-space.hardened=true quiet\n"));
  CHECK_FALSE(hardened(""));
  CHECK_FALSE(hardened("confidential-space.hardened=false"));
  CHECK_FALSE(hardened("confidential-space.hardened=truer"));
  CHECK_FALSE(hardened("not.confidential-space.hardened=true"));
  CHECK_FALSE(hardened("confidential-space.hardened = true"));
  CHECK_THROWS_AS(launcher::is_hardened(directory.path() / "absent"), base::Error);
  CHECK_THROWS_AS(hardened(std::string(std::size_t{65} << 10U, ' ')), base::Error);
}
