#include "launcher/container/user.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <cerrno>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "launcher/container/image_path.h"

namespace launcher {
namespace {

using base::InvalidInput;

constexpr std::uint32_t kMaxId = 0x7fffffffU;  // as runc accepts them
constexpr std::size_t kMaxUserLength = 256;
constexpr std::size_t kMaxAdditionalGroups = 65536;  // NGROUPS_MAX, setgroups(2)
constexpr auto kUserField = "image config.config.User";

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id > kMaxId) return std::nullopt;
  return id;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The file's content; empty when there is no such file.
std::string read_account_file(const std::filesystem::path& root, const char* path) {
  const std::string field = std::string("image file ") + path;
  const base::FileDescriptor file = find_in_image(root, path, {.field = field}).file;
  if (file.get() < 0) return {};
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw base::SystemError(field, errno);
  if (!S_ISREG(status.st_mode)) throw InvalidInput(field, "is not a regular file");
  if (status.st_size > static_cast<off_t>(kMaxAccountFileBytes)) throw InvalidInput(field, "is larger than 1 MiB");
  const base::Bytes content = base::read_file("/proc/self/fd/" + std::to_string(file.get()), kMaxAccountFileBytes);
  return std::string(base::text_of(content));
}

/// The lines of an account file, without the blanks at their ends: containerd and runc read them so, and files that
/// were written elsewhere have a carriage return there.
std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  std::vector<std::string_view> lines = base::fields_of(text, '\n');
  for (std::string_view& line : lines) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
  }
  return lines;
}

struct Account {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// passwd(5). Lines that are not entries are passed over, as every reader of that file does.
std::optional<Account> find_account(std::string_view passwd, const std::function<bool(const Account&)>& matches) {
  for (const std::string_view line : lines_of(passwd)) {
    const auto fields = base::fields_of(line, ':');
    if (fields.size() < 4) continue;
    const auto uid = parse_id(fields[2]);
    const auto gid = parse_id(fields[3]);
    if (!uid || !gid) continue;
    Account account{std::string(fields[0]), *uid, *gid};
    if (matches(account)) return account;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> find_group(std::string_view group, std::string_view name) {
  for (const std::string_view line : lines_of(group)) {
    const auto fields = base::fields_of(line, ':');
    if (fields.size() < 3 || fields[0] != name) continue;
    if (const auto gid = parse_id(fields[2])) return gid;
  }
  return std::nullopt;
}

/// group(5): the groups whose member list has `name`.
void add_memberships(std::string_view group, std::string_view name, std::vector<std::uint32_t>& gids) {
  for (const std::string_view line : lines_of(group)) {
    const auto fields = base::fields_of(line, ':');
    if (fields.size() < 4) continue;
    const auto gid = parse_id(fields[2]);
    const auto members = base::fields_of(fields[3], ',');
    if (gid && std::ranges::find(members, name) != members.end()) gids.push_back(*gid);
  }
}

std::uint32_t id_or_throw(std::string_view text) {
  const auto id = parse_id(text);
  if (!id) throw InvalidInput(kUserField, "a number that is no user or group id");
  return *id;
}

Account resolve_account(const std::filesystem::path& root, std::string_view name) {
  const std::string passwd = read_account_file(root, "etc/passwd");
  if (is_number(name)) {
    const std::uint32_t uid = id_or_throw(name);
    const auto found = find_account(passwd, [uid](const Account& account) { return account.uid == uid; });
    return found.value_or(Account{"", uid, 0});
  }
  const auto found = find_account(passwd, [name](const Account& account) { return account.name == name; });
  if (!found) throw InvalidInput(kUserField, "no such user in the image's /etc/passwd");
  return *found;
}

}  // namespace

User resolve_user(const std::filesystem::path& root, std::string_view user) {
  if (user.size() > kMaxUserLength) throw InvalidInput(kUserField, "too long");
  if (user.find_first_of(std::string_view("\0\n\r", 3)) != std::string_view::npos) {
    throw InvalidInput(kUserField, "holds a control character");
  }
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name = colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  if (group_name.find(':') != std::string_view::npos) throw InvalidInput(kUserField, "is not of the form user[:group]");

  const Account account = resolve_account(root, name.empty() ? "0" : name);
  const std::string group = read_account_file(root, "etc/group");
  User result{account.uid, account.gid, {}};
  if (is_number(group_name)) {
    result.gid = id_or_throw(group_name);
  } else if (!group_name.empty()) {
    const auto gid = find_group(group, group_name);
    if (!gid) throw InvalidInput(kUserField, "no such group in the image's /etc/group");
    result.gid = *gid;
  }
  result.additional_gids.push_back(result.gid);
  if (!account.name.empty()) add_memberships(group, account.name, result.additional_gids);
  std::ranges::sort(result.additional_gids);
  const auto repeated = std::unique(result.additional_gids.begin(), result.additional_gids.end());
  result.additional_gids.erase(repeated, result.additional_gids.end());
  if (result.additional_gids.size() > kMaxAdditionalGroups) throw InvalidInput(kUserField, "is in too many groups");
  return result;
}

}  // namespace launcher
