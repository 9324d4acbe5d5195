#include "launcher/spec/privileges.h"

#include "launcher/spec/lists.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::read_added_capabilities;
using launcher::read_cgroup_namespace;
using test::read_attributes;
using Strings = std::vector<std::string>;

TEST_CASE("added capabilities are names, each once") {
  const auto read = [](const std::string& text) {
    return read_attributes({{"tee-added-capabilities", text}}, read_added_capabilities);
  };
  CHECK(read(R"(["CAP_SYS_PTRACE","CAP_NET_ADMIN","CAP_SYS_PTRACE"])").value ==
        Strings{"CAP_SYS_PTRACE", "CAP_NET_ADMIN"});
  for (const char* text : {"", "[]", "null"}) {
    CHECK(read(text).value.empty());
    CHECK(read(text).problems.empty());
  }
  CHECK_THAT(read("CAP_SYS_PTRACE").problems, StartsWith("tee-added-capabilities: not valid JSON"));
}

TEST_CASE("nobody gets a capability that containerd has not itself") {
  const auto problems_of = [](const Strings& wanted, launcher::CapabilitySet given) {
    launcher::Problems problems;
    launcher::expect_given(wanted, given, problems);
    try {
      problems.throw_if_any();
      return std::string();
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(problems_of({}, 0).empty());
  CHECK(problems_of({"CAP_CHOWN"}, 1).empty());
  CHECK(problems_of({"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF"}, 1) ==
        "tee-added-capabilities: failed to validate added capabilities: received added capabilities ([CAP_SYS_ADMIN "
        "CAP_BPF]) not allowed by current capabilities");
  INFO("nor one that Linux does not know");
  CHECK_THAT(problems_of({"CAP_X", "CAP_CHOWN", "cap_chown"}, ~launcher::CapabilitySet{0}),
             ContainsSubstring("([CAP_X cap_chown])"));
  const Strings many(3000, "CAP_X");
  const std::string briefly = problems_of(many, 0);
  CHECK(briefly.size() < 2 * launcher::kMaxListShown);
  CHECK_THAT(briefly, ContainsSubstring(" more]) not allowed"));
}

TEST_CASE("a cgroup namespace is asked for with a boolean that is not empty") {
  const auto read = [](const launcher::Attributes& attributes) {
    return read_attributes(attributes, read_cgroup_namespace);
  };
  CHECK_FALSE(read({}).value);
  CHECK(read({}).problems.empty());
  CHECK(read({{"tee-cgroup-ns", "true"}}).value);
  CHECK_FALSE(read({{"tee-cgroup-ns", "0"}}).value);
  CHECK(read({{"tee-cgroup-ns", ""}}).problems == "invalid value for tee-cgroup-ns (not a boolean): \"\"");
}
