#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/private_directory.h"
#include "launcher/container/user.h"

namespace {

constexpr std::uint32_t kMaxId = 0x7fffffffU;
constexpr std::size_t kMaxGroups = 65536;

/// An image's root file system.
class Root {
 public:
  Root() { std::filesystem::create_directory(directory_.path() / "etc"); }

  /// Anew: ext4 waits for the disk when a file is written over.
  void write(const char* file, std::string_view content) const {
    const auto path = directory_.path() / "etc" / file;
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << content;
  }
  std::optional<launcher::User> resolve(std::string_view user) const {
    try {
      return launcher::resolve_user(directory_.path(), user);
    } catch (const base::InvalidInput&) {
      return std::nullopt;
    }
  }

 private:
  base::PrivateDirectory directory_{"cs-fuzz"};
};

bool same(const std::optional<launcher::User>& a, const std::optional<launcher::User>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->uid == b->uid && a->gid == b->gid && a->additional_gids == b->additional_gids;
}

void expect_right(const launcher::User& user, std::string_view wanted) {
  const auto& gids = user.additional_gids;
  const bool is_ascending = std::adjacent_find(gids.begin(), gids.end(), std::greater_equal<>()) == gids.end();
  if (user.uid > kMaxId || !is_ascending || gids.back() > kMaxId || gids.size() > kMaxGroups) std::abort();
  if (!std::binary_search(gids.begin(), gids.end(), user.gid)) std::abort();
  // A number is that number, whatever stands in the files.
  const bool is_number = !wanted.empty() && wanted.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number &&
      std::to_string(user.uid) != wanted.substr(std::min(wanted.find_first_not_of('0'), wanted.size() - 1))) {
    std::abort();
  }
}

std::string with_carriage_returns(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return result;
}

/// What stands ahead of `end`; taken from `text` together with it.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + end.size(), text.size()));
  return part;
}

}  // namespace

/// A line with the user, the lines of /etc/passwd, one with "--", and those of /etc/group.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Root root;
  std::string_view text = base::text_of({data, size});
  const std::string_view wanted = take_until(text, "\n");
  const std::string_view passwd = take_until(text, "\n--\n");
  root.write("passwd", passwd);
  root.write("group", text);
  const auto user = root.resolve(wanted);
  if (user) expect_right(*user, wanted);
  // Lines that are none, and the other kind of line ends, change nothing.
  root.write("passwd", "none:x:-1:0\n\n" + with_carriage_returns(passwd) + "\r\n::");
  root.write("group", "none:x\n" + with_carriage_returns(text) + "\r\n\r\n:::");
  if (!same(root.resolve(wanted), user)) std::abort();
  return 0;
}
