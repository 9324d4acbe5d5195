#include "launcher/spec/command.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::read_cmd;
using launcher::read_env;
using test::read_attributes;
using Strings = std::vector<std::string>;

TEST_CASE("commands are arrays of strings; an empty text and null are none, an empty array is refused") {
  CHECK(read_attributes({{"tee-cmd", R"(["a","b c",""])"}}, read_cmd).value == Strings{"a", "b c", ""});
  for (const char* text : {"", "null"}) {
    const auto none = read_attributes({{"tee-cmd", text}}, read_cmd);
    CHECK_FALSE(none.value.has_value());
    CHECK(none.problems.empty());
  }
  CHECK_FALSE(read_attributes({}, read_cmd).value.has_value());
  CHECK_THAT(read_attributes({{"tee-cmd", "[]"}}, read_cmd).problems,
             StartsWith("tee-cmd: an empty array is not accepted"));
  CHECK_THAT(read_attributes({{"tee-cmd", "[\"a\""}}, read_cmd).problems, ContainsSubstring("tee-cmd: not valid JSON"));
  CHECK(read_attributes({{"tee-cmd", R"(["a\u0000b"])"}}, read_cmd).problems == "tee-cmd[0]: contains NUL");
}

TEST_CASE("variables of the operator") {
  const auto env =
      read_attributes({{"tee-env-B", "2"}, {"tee-env-A", "x=y"}, {"tee-env-EMPTY", ""}, {"tee-en", "x"}}, read_env);
  CHECK(env.value == std::map<std::string, std::string>{{"A", "x=y"}, {"B", "2"}, {"EMPTY", ""}});
  CHECK(env.problems.empty());
}

TEST_CASE("a variable's name is legal, its value is text, and neither value nor more than one problem is hidden") {
  for (const std::string& name :
       {std::string("foo-bar"), std::string("foo.bar"), std::string(""), std::string("1A"), std::string("A\n")}) {
    CAPTURE(name);
    const std::string problems = read_attributes({{"tee-env-" + name, "canary"}}, read_env).problems;
    CHECK_THAT(problems, ContainsSubstring("malformed env name"));
    CHECK_THAT(problems, !ContainsSubstring("canary"));
  }
  const auto both = read_attributes({{"tee-env-A", std::string("canary\0", 7)}, {"tee-env-1", "x"}}, read_env);
  CHECK_THAT(both.problems, ContainsSubstring("malformed env value") && ContainsSubstring("malformed env name"));
  CHECK_THAT(both.problems, ContainsSubstring("tee-env-A") && ContainsSubstring("tee-env-1"));
  CHECK_THAT(both.problems, !ContainsSubstring("canary"));
}

TEST_CASE("a variable or argument that no program can be given is refused by its name") {
  const auto env_problems = [](const std::string& name, const std::string& value) {
    return read_attributes({{"tee-env-" + name, value}}, read_env).problems;
  };
  CHECK(env_problems("A", std::string(131069, 'x')).empty());
  CHECK(env_problems("A", std::string(131070, 'x')) ==
        "tee-env-A: longer than the 131072 bytes that a program can be given");
  const auto cmd_problems = [](const std::string& text) {
    return read_attributes({{"tee-cmd", text}}, read_cmd).problems;
  };
  CHECK(cmd_problems(R"([")" + std::string(131071, 'x') + R"("])").empty());
  CHECK(cmd_problems(R"(["a",")" + std::string(131072, 'x') + R"("])") ==
        "tee-cmd[1]: longer than the 131072 bytes that a program can be given");
  const std::string long_name = env_problems(std::string(131071, 'A'), "");
  CHECK_THAT(long_name, ContainsSubstring(": longer than the 131072 bytes"));
  CHECK(long_name.size() < 200);
}

TEST_CASE("as many arguments as are taken, and no more") {
  const auto array = [](std::size_t count) {
    std::string json = "[\"\"";
    for (std::size_t i = 1; i < count; ++i) json += ",\"\"";
    return json + "]";
  };
  CHECK(read_attributes({{"tee-cmd", array(launcher::kMaxAttributes)}}, read_cmd).problems.empty());
  CHECK_THAT(read_attributes({{"tee-cmd", array(launcher::kMaxAttributes + 1)}}, read_cmd).problems,
             StartsWith("tee-cmd: "));
}
