#include "launcher/container/image_path.h"

#include <fstream>
#include <vector>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;

struct ImageFolder {
  test::TemporaryDirectory directory;
  fs::path root = directory.path() / "root";
  ImagePathRules rules{.field = "image"};

  ImageFolder() { fs::create_directory(root); }

  ImagePlace find(const fs::path& path) const { return find_in_image(root, path, rules); }
  std::string where(const fs::path& path) const { return find(path).path.string(); }
  bool exists(const fs::path& path) const { return find(path).file.get() >= 0; }
};

/// "part/part/.../last"
fs::path path_of(std::size_t count, const std::string& part, const fs::path& last) {
  fs::path path;
  for (std::size_t i = 0; i < count; ++i) path /= part;
  return path / last;
}

}  // namespace

TEST_CASE("a path is followed inside the image") {
  const ImageFolder image;
  fs::create_directories(image.root / "a/b");
  std::ofstream(image.root / "a/b/file");
  fs::create_symlink("/a/b", image.root / "absolute");
  fs::create_symlink("../../../a/./b", image.root / "a/upwards");
  fs::create_directory_symlink("/", image.root / "a/root");
  CHECK(image.where("/a/b/file") == "/a/b/file");
  CHECK(image.exists("/a/b/file"));
  CHECK(image.where("/absolute/file") == "/a/b/file");
  CHECK(image.where("/a/upwards/file") == "/a/b/file");
  CHECK(image.where("/a/root/a/../a//b/file") == "/a/b/file");
  CHECK(image.where("/../..") == "/");
  CHECK(image.exists("/"));
}

TEST_CASE("what is not there has a place, too") {
  const ImageFolder image;
  std::ofstream(image.root / "file");
  fs::create_symlink("missing", image.root / "dangling");
  CHECK(image.where("/dangling/x/../y") == "/missing/y");
  CHECK_FALSE(image.exists("/dangling"));
  CHECK(image.where("/file/below") == "/file/below");
  CHECK_FALSE(image.exists("/file/below"));
}

TEST_CASE("nothing is looked up where something else will be seen") {
  ImageFolder image;
  fs::create_directory(image.root / "covered");
  fs::create_symlink("/elsewhere", image.root / "covered/link");
  CHECK(image.where("/covered/link") == "/elsewhere");
  image.rules.is_covered = [](const fs::path& place) { return place == "/covered/link"; };
  CHECK(image.where("/covered/link") == "/covered/link");
}

TEST_CASE("each link is told before it is followed") {
  ImageFolder image;
  fs::create_symlink("b", image.root / "a");
  fs::create_symlink("c", image.root / "b");
  std::vector<std::string> links;
  image.rules.on_link = [&](const fs::path& link) { links.push_back(link.string()); };
  CHECK(image.where("/a") == "/c");
  CHECK(links == std::vector<std::string>{"/a", "/b"});
  image.rules.on_link = [](const fs::path&) { throw base::Error("no links"); };
  CHECK_THROWS_WITH(image.find("/a"), "no links");
}

TEST_CASE("as many links are followed as the limit") {
  const ImageFolder image;
  for (std::size_t i = 0; i <= kMaxImageLinks; ++i)
    fs::create_symlink(std::to_string(i), image.root / std::to_string(i + 1));
  CHECK(image.where("/" + std::to_string(kMaxImageLinks)) == "/0");
  CHECK_THROWS_WITH(image.find("/" + std::to_string(kMaxImageLinks + 1)),
                    "image: leads through too many symbolic links");
  fs::create_symlink("loop", image.root / "loop");
  CHECK_THROWS_AS(image.find("/loop"), base::InvalidInput);
}

TEST_CASE("a place is as deep as the limit") {
  const ImageFolder image;
  CHECK_NOTHROW(image.find(path_of(kMaxImageDepth - 1, "d", "d")));
  CHECK_THROWS_WITH(image.find(path_of(kMaxImageDepth, "d", "d")), "image: leads too deep");
  CHECK_NOTHROW(image.find(path_of(kMaxImageDepth - 1, "d", "x/../d")));
}

TEST_CASE("path and links have as many parts as the limit, together") {
  const ImageFolder image;
  fs::create_symlink(path_of(kMaxImagePathParts / 2 - 1, ".", "x"), image.root / "link");
  CHECK_NOTHROW(image.find(path_of(kMaxImagePathParts / 2 - 1, ".", "link")));
  CHECK_THROWS_WITH(image.find(path_of(kMaxImagePathParts / 2, ".", "link")), "image: leads through too many folders");
}

}  // namespace launcher
