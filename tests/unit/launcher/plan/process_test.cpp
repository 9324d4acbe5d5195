#include "launcher/plan/process.h"

#include "base/error.h"
#include "base/exec_limits.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"

namespace launcher {
namespace {

using Strings = std::vector<std::string>;

oci::ImageConfig image(Strings entrypoint, Strings cmd, Strings env = {}) {
  oci::ImageConfig config;
  config.entrypoint = std::move(entrypoint);
  config.cmd = std::move(cmd);
  config.env = std::move(env);
  return config;
}

}  // namespace

TEST_CASE("arguments are the entrypoint and the operator's command, else the image's") {
  CHECK(final_args(image({"/app"}, {"a"}), {}) == Strings{"/app", "a"});
  CHECK(final_args(image({"/app"}, {"a"}), Strings{"b", "c"}) == Strings{"/app", "b", "c"});
  CHECK(final_args(image({"/app"}, {"a"}), Strings{}) == Strings{"/app"});
  CHECK(final_args(image({}, {"/app"}), {}) == Strings{"/app"});
}

TEST_CASE("an image without an entrypoint takes no command, and one with nothing to run is refused") {
  CHECK_THROWS_WITH(
      final_args(image({}, {"x"}), Strings{"b", "c"}),
      Catch::Matchers::Equals(
          "length of Args [2] is shorter or equal to the length of the given Cmd [2], maybe the Entrypoint is "
          "set to empty in the image?"));
  CHECK_THROWS_AS(final_args(image({}, {}), {}), base::InvalidInput);
  CHECK_THROWS_WITH(final_args(image({""}, {}), {}), Catch::Matchers::StartsWith("image config.config.Entrypoint[0]"));
  CHECK_THROWS_WITH(final_args(image({}, {"", "x"}), {}), Catch::Matchers::StartsWith("image config.config.Cmd[0]"));
  CHECK_THROWS_AS(final_args(image({"/app", std::string("a\0b", 3)}, {}), {}), base::InvalidInput);
  CHECK_THROWS_AS(final_args(image({"/app", "\xff"}, {}), {}), base::InvalidInput);
}

TEST_CASE("the environment has one entry for each name") {
  const EnvOverrides overrides = {{"B", "operator"}, {"ZED", "z"}, {"ALPHA", "a=b"}, {"HOSTNAME", "mine"}};
  CHECK(final_env(image({}, {}, {"A=1", "B=2", "A=3", "C="}), overrides, "vm") ==
        Strings{"A=3", "B=operator", "C=", "ALPHA=a=b", "HOSTNAME=vm", "ZED=z"});
  CHECK(final_env(image({}, {}, {"HOSTNAME=image", "A=1"}), {}, "vm") == Strings{"HOSTNAME=vm", "A=1"});
}

TEST_CASE("ten thousand variables keep their order, each with its last value") {
  constexpr std::size_t kVariables = 10000;
  const auto numbered = [](std::size_t i, const char* value) { return "NAME_" + std::to_string(i) + "=" + value; };
  Strings env;
  Strings expected;
  for (std::size_t i = 0; i < kVariables; ++i) {
    env.push_back(numbered(i, "first"));
    expected.push_back(numbered(i, "last"));
  }
  for (std::size_t i = kVariables; i-- > 0;) env.push_back(numbered(i, "last"));
  expected.emplace_back("HOSTNAME=vm");
  CHECK(final_env(image({}, {}, env), {}, "vm") == expected);
}

TEST_CASE("values are taken as they are, names are letters, digits and underscores and no more") {
  const std::string large(base::kMaxStringBytes - sizeof("L="), 'x');
  CHECK(final_env(image({}, {}, {"A=B=C", "_=", "Z_9=line\nline", "L=" + large}), {}, "vm") ==
        Strings{"A=B=C", "_=", "Z_9=line\nline", "L=" + large, "HOSTNAME=vm"});
  for (const char* entry : {"=x", "1A=x", "a-b=x", "a.b=x", "A\n=x", "A =x", " A=x", "\xc3\xa4=x"}) {
    INFO(entry);
    CHECK_THROWS_AS(final_env(image({}, {}, {entry}), {}, "vm"), base::InvalidInput);
  }
  CHECK_THROWS_AS(final_env(image({}, {}, {std::string("A\0=x", 4)}), {}, "vm"), base::InvalidInput);
}

TEST_CASE("a bad variable is refused by name, and its value is never shown") {
  for (const std::string& entry : {std::string("a-b=secret"), std::string("A\n=secret"), std::string("=secret"),
                                   std::string("A=secret\xff"), std::string("A=secret\0", 9), std::string("secret")}) {
    try {
      final_env(image({}, {}, {entry}), {}, "vm");
      FAIL("accepted " + entry);
    } catch (const base::InvalidInput& error) {
      CHECK_THAT(error.what(), !ContainsSubstring("secret"));
    }
  }
  CHECK_THROWS_WITH(final_env(image({}, {}, {"a-b=x"}), {}, "vm"), ContainsSubstring("a-b"));
  CHECK_THROWS_WITH(final_env(image({}, {}), {{"X", "\xff"}}, "vm"), ContainsSubstring("tee-env-X"));
}

TEST_CASE("what is too long for execve is refused by its name") {
  const std::string longest(base::kMaxStringBytes - 1, 'x');
  CHECK(final_args(image({longest}, {longest}), Strings{longest}).size() == 2);
  CHECK_THROWS_WITH(final_args(image({"/e", longest + "x"}, {}), {}),
                    ContainsSubstring("image config.config.Entrypoint[1]: longer than the 131072 bytes"));
  CHECK_THROWS_WITH(final_args(image({"/e"}, {longest + "x"}), {}),
                    ContainsSubstring("image config.config.Cmd[0]: longer than the 131072 bytes"));
  CHECK_THROWS_WITH(final_args(image({"/e"}, {}), Strings{"a", longest + "x"}),
                    ContainsSubstring("tee-cmd[1]: longer than the 131072 bytes"));
  const std::string value(longest.size() - 2, 'x');
  CHECK(final_env(image({}, {}, {"A=" + value}), {{"B", value}}, "vm")[1].size() == longest.size());
  CHECK_THROWS_WITH(final_env(image({}, {}, {"A=" + value + "x"}), {}, "vm"),
                    ContainsSubstring("image config.config.Env: A: longer than the 131072 bytes"));
  CHECK_THROWS_WITH(final_env(image({}, {}), {{"B", value + "x"}}, "vm"),
                    ContainsSubstring("tee-env-B: longer than the 131072 bytes"));
}

TEST_CASE("an image without any variable gets containerd's PATH, and one that merely lacks PATH does not") {
  const std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  CHECK(final_env(image({}, {}), {}, "vm") == Strings{path, "HOSTNAME=vm"});
  CHECK(final_env(image({}, {}), {{"A", "1"}}, "vm") == Strings{path, "A=1", "HOSTNAME=vm"});
  CHECK(final_env(image({}, {}), {{"PATH", "/bin"}}, "vm") == Strings{"PATH=/bin", "HOSTNAME=vm"});
  CHECK(final_env(image({}, {}, {"A=1"}), {}, "vm") == Strings{"A=1", "HOSTNAME=vm"});
  CHECK(final_env(image({}, {}, {"PATH="}), {}, "vm") == Strings{"PATH=", "HOSTNAME=vm"});
}

TEST_CASE("of a name that the image has several times the last value counts") {
  CHECK(final_env(image({}, {}, {"A=1", "B=2", "A=", "A=3"}), {}, "vm") == Strings{"A=3", "B=2", "HOSTNAME=vm"});
}

TEST_CASE("the working directory is absolute") {
  oci::ImageConfig config;
  CHECK(final_working_dir(config) == "/");
  config.working_dir = "/srv";
  CHECK(final_working_dir(config) == "/srv");
  config.working_dir = "srv";
  CHECK_THROWS_AS(final_working_dir(config), base::InvalidInput);
  config.working_dir = "/" + std::string(255, 'x');
  CHECK(final_working_dir(config) == config.working_dir);
  config.working_dir += "x";
  CHECK_THROWS_WITH(final_working_dir(config), ContainsSubstring("WorkingDir: has a name longer than"));
}

TEST_CASE("an environment is put together with work in proportion to its size") {
  const auto config_of = [](std::size_t count) {
    oci::ImageConfig config = image({"/app"}, {});
    for (std::size_t i = 0; i < count; ++i)
      config.env.push_back("VARIABLE_" + std::to_string(i) + "=value of some length");
    return config;
  };
  CHECK(test::growth(2048, config_of, [](const oci::ImageConfig& config) { final_env(config, {}, "host"); }) <
        test::kLinear);
}

}  // namespace launcher
