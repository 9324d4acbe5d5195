#include "launcher/spec/mounts.h"

#include <limits>

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::clean_path;
using launcher::read_tmpfs_mounts;
using launcher::TmpfsMount;
using test::read_attributes;

namespace {

std::string problems_of(const std::string& text) {
  return read_attributes({{"tee-mount", text}}, read_tmpfs_mounts).problems;
}

std::vector<TmpfsMount> mounts_of(const std::string& text) {
  const auto read = read_attributes({{"tee-mount", text}}, read_tmpfs_mounts);
  CHECK(read.problems.empty());
  return read.value;
}

std::string memory_problems(const std::vector<TmpfsMount>& mounts, std::optional<std::uint64_t> dev_shm_kb,
                            std::uint64_t available_kb) {
  launcher::Problems problems;
  launcher::check_memory(mounts, dev_shm_kb, available_kb, problems);
  try {
    problems.throw_if_any();
    return "";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("tmpfs mounts are read with their options in any order") {
  CHECK(mounts_of("").empty());
  CHECK(mounts_of("type=tmpfs,source=tmpfs,destination=/tmp/x,size=12345;type=tmpfs,source=tmpfs,destination=/run/w") ==
        std::vector<TmpfsMount>{{.destination = "/tmp/x", .size_bytes = 12345}, {.destination = "/run/w"}});
  CHECK(mounts_of("size=1,destination=/d,uid=1000,source=tmpfs,gid=0,mode=1777,type=tmpfs;") ==
        std::vector<TmpfsMount>{{.destination = "/d", .size_bytes = 1, .uid = 1000, .gid = 0, .mode = 01777}});
}

TEST_CASE("the path that is checked is the path that is mounted") {
  const auto destination_of = [](const std::string& path) {
    return mounts_of("type=tmpfs,source=tmpfs,destination=" + path).at(0).destination;
  };
  CHECK(destination_of("relative") == "/relative");
  CHECK(destination_of("/allowed/../etc") == "/etc");
  CHECK(destination_of("//a//b/") == "/a/b");
  CHECK(destination_of("/../../a/.") == "/a");
  for (const char* path :
       {"/", "//", "/x/..", ".", "/proc", "/proc/1", "/sys/fs/cgroup", "/dev", "/dev/", "/run/container_launcher",
        "/run/container_launcher/x", "/a/../proc", "/etc/hosts", "/etc/resolv.conf/x"}) {
    CAPTURE(path);
    CHECK_THAT(problems_of("type=tmpfs,source=tmpfs,destination=" + std::string(path)),
               StartsWith("tee-mount: nothing can be mounted at destination"));
  }
  CHECK(destination_of("/dev/shm") == "/dev/shm");
  CHECK(destination_of("/run") == "/run");
  CHECK(destination_of("/processes") == "/processes");
}

TEST_CASE("a mount that is wrong says what is wrong, and each says it") {
  struct Row {
    const char* text;
    const char* problem;
  };
  for (const Row& row : {
           Row{"tmpfs", "failed to parse mount option: malformed env var"},
           Row{"=x", "failed to parse mount option: malformed env var"},
           Row{"type=tmpfs,a-b=c", "failed to parse mount option: malformed env var"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,ro=1",
               "found unknown mount option: ro=1, expect keys of [type "
               "source destination size uid gid mode]"},
           Row{"source=tmpfs,destination=/d", "found unknown or unspecified mount type: ["},
           Row{"type=bind,source=tmpfs,destination=/d", "expect one of types [tmpfs]"},
           Row{"type=tmpfs,destination=/d", "received wrong mount source , expected tmpfs"},
           Row{"type=tmpfs,source=/dev/sda,destination=/d", "received wrong mount source /dev/sda, expected tmpfs"},
           Row{"type=tmpfs,source=tmpfs", "mount type \"tmpfs\" must have destination specified"},
           Row{"type=tmpfs,source=tmpfs,destination=", "mount type \"tmpfs\" must have destination specified"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,size=1k", "failed to convert size option \"1k\" to uint64"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,size=-1", "failed to convert size option \"-1\" to uint64"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,size=0", "the kernel takes it for no limit"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,uid=4294967295", "failed to convert uid option"},
           Row{"type=tmpfs,source=tmpfs,destination=/d,mode=8", "failed to convert mode option \"8\""},
           Row{"type=tmpfs,source=tmpfs,destination=/d,mode=4755", "failed to convert mode option \"4755\""},
           Row{"type=tmpfs,type=tmpfs,source=tmpfs,destination=/d", "mount option type stands twice"},
       }) {
    CAPTURE(row.text);
    const std::string problems = problems_of(row.text);
    CHECK_THAT(problems, StartsWith("tee-mount: ") && ContainsSubstring(row.problem));
  }
  CHECK_THAT(problems_of("x;type=tmpfs,source=x,destination=/d"),
             ContainsSubstring("malformed env var") && ContainsSubstring("received wrong mount source"));
  const std::string long_name = "/" + std::string(256, 'x');
  CHECK_THAT(problems_of("type=tmpfs,source=tmpfs,destination=" + long_name), ContainsSubstring("destination"));
}

TEST_CASE("a destination is as deep as the limit") {
  std::string path;
  for (std::size_t i = 0; i < launcher::kMaxMountDepth; ++i) path += "/d";
  CHECK(problems_of("type=tmpfs,source=tmpfs,destination=" + path).empty());
  CHECK_THAT(problems_of("type=tmpfs,source=tmpfs,destination=" + path + "/d"),
             EndsWith("is more than 64 folders deep"));
}

TEST_CASE("as many mounts as the limit, and no more") {
  std::string text;
  for (std::size_t i = 0; i < launcher::kMaxTmpfsMounts; ++i)
    text += "type=tmpfs,source=tmpfs,destination=/d" + std::to_string(i) + ";";
  CHECK(mounts_of(text).size() == launcher::kMaxTmpfsMounts);
  CHECK(problems_of(text + "type=tmpfs,source=tmpfs,destination=/d") == "tee-mount: more than 64 mounts");
}

TEST_CASE("the size of /dev/shm is a number of kB") {
  const auto read = read_attributes({{"tee-dev-shm-size-kb", "128"}}, launcher::read_dev_shm_kb);
  CHECK(read.value == 128);
  CHECK_FALSE(read_attributes({{"tee-dev-shm-size-kb", ""}}, launcher::read_dev_shm_kb).value);
  CHECK_FALSE(read_attributes({{"tee-dev-shm-size-kb", "0"}}, launcher::read_dev_shm_kb).value);
  CHECK(read_attributes({{"tee-dev-shm-size-kb", "1m"}}, launcher::read_dev_shm_kb).problems ==
        "failed to convert tee-dev-shm-size-kb into uint64, got: 1m");
}

TEST_CASE("sizes fit into the memory, each and all together") {
  const auto of_kb = [](std::uint64_t kb) { return TmpfsMount{.destination = "/d", .size_bytes = kb * 1024}; };
  CHECK(memory_problems({of_kb(60), of_kb(30)}, 10, 100).empty());
  CHECK(memory_problems({{.destination = "/d"}}, std::nullopt, 0).empty());
  CHECK(memory_problems({}, 101, 100) ==
        "tee-dev-shm-size-kb: failed to validate /dev/shm size: got a /dev/shm size (101) larger than free memory "
        "(100) kB");
  CHECK(memory_problems({of_kb(101)}, {}, 100) ==
        "tee-mount: /d: got a tmpfs size (101) larger than free memory (100) kB");
  CHECK(memory_problems({of_kb(60), of_kb(31)}, 10, 100) ==
        "tee-mount, tee-dev-shm-size-kb: got sizes that are together larger than free memory (100) kB");
  INFO("a byte more is a kB more, and no sum is beyond 64 bits");
  CHECK_FALSE(memory_problems({{.destination = "/d", .size_bytes = 100 * 1024 + 1}}, {}, 100).empty());
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  CHECK_FALSE(memory_problems({of_kb(1), {.destination = "/e", .size_bytes = kMost}}, kMost, 100).empty());
  CHECK(memory_problems({{.destination = "/d", .size_bytes = kMost}}, {}, kMost).empty());
}

TEST_CASE("a clean path has one way of being written") {
  CHECK(clean_path("") == "/");
  CHECK(clean_path("/") == "/");
  CHECK(clean_path("a/./b/../c//") == "/a/c");
  CHECK(clean_path("/..a/...") == "/..a/...");
}

TEST_CASE("below a folder is what has its whole name before it") {
  CHECK(launcher::is_at_or_below("/a", "/a"));
  CHECK(launcher::is_at_or_below("/a/b", "/a"));
  CHECK(launcher::is_at_or_below("/a", "/"));
  CHECK_FALSE(launcher::is_at_or_below("/ab", "/a"));
  CHECK_FALSE(launcher::is_at_or_below("/", "/a"));
}
