#include "launcher/container/image_path.h"

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;
using base::InvalidInput;

/// Goes part by part, as no other process changes what is mounted read-only for this one, and the sandbox of the
/// service has no openat2(2) (RestrictSUIDSGID=, systemd.exec(5)). O_PATH: to open a FIFO would block, to open a device
/// would act on it.
class Walk {
 public:
  Walk(const fs::path& root, const ImagePathRules& rules) : rules_(rules) {
    base::FileDescriptor place(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (place.get() < 0) throw base::SystemError("opening the image's root", errno);
    steps_.push_back({"/", std::move(place)});
  }

  ImagePlace to_end_of(const fs::path& path) {
    add(path);
    while (!ahead_.empty()) {
      const fs::path part = std::move(ahead_.front());
      ahead_.pop_front();
      if (part == "..") {
        if (steps_.size() > 1) steps_.pop_back();
      } else if (!part.empty() && part != "." && part != "/") {
        enter(part);
      }
    }
    return {here(), std::move(steps_.back().place)};
  }

 private:
  struct Step {
    fs::path name;
    base::FileDescriptor place;
  };

  void add(const fs::path& path) {
    std::vector<fs::path> parts;
    for (const fs::path& part : path) {
      if (++parts_ > kMaxImagePathParts) fail("leads through too many folders");
      parts.push_back(part);
    }
    ahead_.insert(ahead_.begin(), parts.begin(), parts.end());
  }

  void enter(const fs::path& part) {
    if (steps_.size() > kMaxImageDepth) fail("leads too deep");
    base::FileDescriptor place = open(part);
    struct stat status {};
    if (place.get() >= 0 && ::fstat(place.get(), &status) != 0) throw base::SystemError(rules_.field, errno);
    if (place.get() >= 0 && S_ISLNK(status.st_mode)) {
      follow(part, place);
    } else {
      steps_.push_back({part, std::move(place)});
    }
  }

  /// Invalid when there is nothing.
  base::FileDescriptor open(const fs::path& part) const {
    const base::FileDescriptor& folder = steps_.back().place;
    if (folder.get() < 0 || (rules_.is_covered && rules_.is_covered(here() / part))) return {};
    base::FileDescriptor place(::openat(folder.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (place.get() < 0 && errno != ENOENT && errno != ENOTDIR)
      fail(base::SystemError("cannot be opened", errno).what());
    return place;
  }

  void follow(const fs::path& name, const base::FileDescriptor& link) {
    if (rules_.on_link) rules_.on_link(here() / name);
    if (++links_ > kMaxImageLinks) fail("leads through too many symbolic links");
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlinkat(link.get(), "", text.data(), text.size());
    if (length < 0) throw base::SystemError(rules_.field, errno);
    const fs::path target(std::string(text.data(), static_cast<std::size_t>(length)));
    if (target.is_absolute()) steps_.erase(steps_.begin() + 1, steps_.end());
    add(target);
  }

  fs::path here() const {
    fs::path path;
    for (const Step& step : steps_) path /= step.name;
    return path;
  }

  [[noreturn]] void fail(const std::string& reason) const { throw InvalidInput(rules_.field, reason); }

  const ImagePathRules& rules_;
  std::vector<Step> steps_;  ///< the root, and each folder down to where the walk stands
  std::deque<fs::path> ahead_;
  std::size_t links_ = 0;
  std::size_t parts_ = 0;
};

}  // namespace

ImagePlace find_in_image(const fs::path& root, const fs::path& path, const ImagePathRules& rules) {
  return Walk(root, rules).to_end_of(path);
}

}  // namespace launcher
