#include "launcher/pull/image.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include <sys/resource.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "base/file.h"
#include "launcher/container/user.h"
#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/containerd/container.h"
#include "launcher/containerd/content_store.h"
#include "launcher/containerd/image_store.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/mount.h"
#include "launcher/containerd/snapshotter.h"
#include "launcher/pull/stored_documents.h"
#include "oci/chain_id.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/launcher/support/fake_containerd.h"
#include "tests/unit/launcher/support/image_world.h"
#include "tests/unit/launcher/support/tiny_image.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

namespace launcher {
namespace {

constexpr auto kZstdOfDocker = "application/vnd.docker.image.rootfs.diff.tar.zstd";
constexpr auto kForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

constexpr base::Milliseconds kCleanUpPatience{200};

/// Starts a pull against a containerd that hangs at `method` and for ever after, and cancels it there. Says how much of
/// bounds no longer than `longest` was needed; all else must end without.
std::chrono::nanoseconds cancel_where_containerd_hangs(const std::string& method, base::Milliseconds longest,
                                                       bool is_unpacked = false) {
  test::ManualContext context;
  test::FakeRegistry registry(context.get_executor());
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  tiny.layer_tars.resize(1);  // while the first of two is unpacked, the other one may still be a stream
  tiny.publish(registry, "latest");
  net::HttpClient http(context.get_executor());
  oci::RegistryClient client(http, {}, test::quick_registry());
  test::FakeContainerd containerd;
  const grpc::Status none(grpc::StatusCode::NOT_FOUND, "none");
  containerd.end("Content/Read", none);
  if (!is_unpacked) containerd.end("Snapshots/Stat", none);
  asio::cancellation_signal signal;
  bool reached = false;
  bool ended = false;
  containerd.hang(method, [&] {
    asio::post(context, [&] {
      reached = true;
      signal.emit(asio::cancellation_type::terminal);
    });
  });
  PullOptions options;
  options.limits.clean_up_patience = kCleanUpPatience;
  options.limits.min_free_bytes = 0;
  std::exception_ptr failure;
  std::optional<Image> image;
  const auto reference = oci::ImageReference::parse(registry.host() + "/tiny:latest", "test");
  auto work = pull(client, ContainerdClient(containerd.socket()), reference, options);
  asio::co_spawn(context, test::keep_result(std::move(work), image),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr f) {
                   failure = std::move(f);
                   ended = true;
                 }));
  context.time.run_until([&] { return reached; }, std::chrono::nanoseconds(0));
  const auto cancelled = context.time.elapsed();
  context.time.run_until([&] { return ended; }, longest);
  const auto took = context.time.elapsed() - cancelled;
  CHECK_FALSE(image.has_value());
  CHECK(failure);
  return took;
}

}  // namespace

TEST_CASE("an image is pulled, unpacked and run") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox", "sh", "-c"});
  tiny.config["Cmd"] = {"exit 42"};
  tiny.config["User"] = "user";
  tiny.config["Labels"] = {{"containerd.io/restart.status", "running"},
                           {"tee.launch_policy.allow_cmd_override", "true"}};
  const oci::Descriptor index = tiny.publish(world.registry, "latest");

  const Image image = world.pull_tag("latest");
  CHECK(image.name == world.registry.host() + "/tiny:latest");
  CHECK(image.target.digest == index.digest);
  CHECK(image.manifest_digest != index.digest);
  CHECK(image.config.labels.size() == 2);
  CHECK(test::run(world.context, Lease::list(world.containerd)).empty());
  CHECK(test::run(world.context, ContentStore(world.containerd).list_ingests()).empty());
  CHECK(test::run(world.context, Snapshotter(world.containerd, world.options.snapshotter).list()).size() == 2);
  CHECK(test::run(world.context, ImageStore(world.containerd).list()) == std::vector<std::string>{image.name});

  SECTION("a second pull fetches no blob") {
    world.registry.requests.clear();
    const Image again = world.pull_tag("latest");
    CHECK(again.chain_id == image.chain_id);
    CHECK(world.registry.requests.size() == 1);
  }

  SECTION("the container's process runs and its exit status arrives") {
    Container container(world.containerd, world.names());
    test::run(world.context, container.remove());
    const auto mounts = test::run(world.context, container.prepare_snapshot(image.chain_id));
    User user;
    {
      const ReadonlyMount root(mounts);
      user = resolve_user(root.path(), image.config.user);
    }
    CHECK(user.uid == 1000);
    CHECK(user.additional_gids == std::vector<std::uint32_t>{1000, 2000});
    ProcessSpec process{final_args(image.config, {}), final_env(image.config, {}, "host"), user, "/"};
    const ContainerSetup setup = world.container_setup();
    CHECK(setup.cgroups_path == container.cgroups_path());
    const base::Json spec = build_runtime_spec(process, setup);
    test::run(world.context, container.create(image.name, spec));
    test::run(world.context, container.expect_spec(spec));
    INFO("image labels never become container labels");
    CHECK(test::label_names_of(world.containerd, "tee-container").empty());
    test::run(world.context, container.create_task({}));
    test::run(world.context, container.expect_spec(spec));
    test::run(world.context, container.start());
    CHECK(test::run(world.context, container.wait()) == 42);
    test::run(world.context, container.remove());
    CHECK(test::run(world.context, ContainerStore(world.containerd).list()).empty());
    CHECK(test::run(world.context, Snapshotter(world.containerd, world.options.snapshotter).list()).size() == 2);
  }

  SECTION("a changed spec is noticed") {
    Container container(world.containerd, world.names());
    test::run(world.context, container.prepare_snapshot(image.chain_id));
    const base::Json spec = world.spec_for(image, {"/bin/busybox", "true"});
    test::run(world.context, container.create(image.name, spec));
    test::run(world.context, container.expect_spec(spec));
    CHECK_THROWS_WITH(test::run(world.context, container.expect_spec(world.spec_for(image, {"/bin/busybox", "false"}))),
                      ContainsSubstring("was changed"));
    test::run(world.context, container.remove());
    CHECK_THROWS_WITH(test::run(world.context, container.expect_spec(spec)), ContainsSubstring("is gone"));
  }

  SECTION("an existing container with a running task is removed") {
    Container container(world.containerd, world.names());
    test::run(world.context, container.prepare_snapshot(image.chain_id));
    test::run(world.context, container.create(image.name, world.spec_for(image, {"/bin/busybox", "sleep", "600"})));
    test::run(world.context, container.create_task({}));
    test::run(world.context, container.start());
    test::run(world.context, container.remove());
    CHECK(test::run(world.context, ContainerStore(world.containerd).list()).empty());
  }

  SECTION("a signal's exit status arrives, also when containerd was restarted meanwhile") {
    Container container(world.containerd, world.names());
    test::run(world.context, container.prepare_snapshot(image.chain_id));
    test::run(world.context, container.create(image.name, world.spec_for(image, {"/bin/busybox", "sleep", "600"})));
    test::run(world.context, container.create_task({}));
    test::run(world.context, container.start());
    world.daemon.restart();
    // A call right behind the restart may meet the old connection's end.
    const auto kill = [&] { return container.kill(SIGKILL); };
    test::run(world.context, base::retry(world.context.get_executor(), kContainerdOutage, kill));
    CHECK(test::run(world.context, container.wait()) == 137);
    test::run(world.context, container.remove());
  }
}

TEST_CASE("a layer that another client has unpacked meanwhile is taken from there") {
  if (test::containerd_is_missing()) return;
  asio::io_context other;  // outlives what gRPC's threads do with it
  test::ImageWorld world;
  const auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  tiny.publish(world.registry, "latest");
  std::vector<oci::Digest> diff_ids;
  for (const std::string& tar : tiny.layer_tars) diff_ids.push_back(oci::Digest::of(base::view_of(tar)));
  const std::string first = oci::chain_ids(diff_ids).front().string();
  const Snapshotter snapshots(world.containerd, world.options.snapshotter);
  int blobs = 0;
  world.registry.fault = [&](const net::HttpServerRequest& request) -> std::optional<net::HttpResponse> {
    const bool is_blob = request.path.find("/blobs/") != std::string::npos;
    if (!is_blob || ++blobs != 2) return std::nullopt;  // the first is the config
    test::run(other, snapshots.prepare("another client's", "", {{"containerd.io/gc.root", "2026-01-01T00:00:00Z"}}));
    test::run(other, snapshots.commit("another client's", first));
    return std::nullopt;
  };
  const Image image = world.pull_tag("latest");
  CHECK(blobs == 3);
  const Container container(world.containerd, world.names());
  const ReadonlyMount root(test::run(world.context, container.prepare_snapshot(image.chain_id)));
  CHECK(std::filesystem::exists(root.path() / "marker"));
  CHECK_FALSE(std::filesystem::exists(root.path() / "bin/busybox"));  // of the first layer, which was there: empty
}

TEST_CASE("what another client keeps of the same index stays") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  const oci::Descriptor manifest = test::TinyImage::busybox({"/bin/busybox"}).publish(world.registry, "single");
  base::Json index = {{"schemaVersion", 2}, {"mediaType", oci::kOciIndex}, {"manifests", base::Json::array()}};
  index["manifests"].push_back(
      {{"mediaType", manifest.media_type}, {"digest", manifest.digest.string()}, {"size", manifest.size}});
  const oci::Descriptor target = world.registry.add_manifest("latest", std::string(oci::kOciIndex), index.dump());
  const std::string bytes = "the manifest of another platform";
  const oci::Descriptor other{"application/x", oci::Digest::of(base::view_of(bytes)), bytes.size()};
  const Lease lease = test::run(world.context, Lease::create(world.containerd));
  const ContentStore store(lease.client());
  test::run(world.context, store.put(other, bytes, {}));
  const ContentLabels labels = {{"containerd.io/gc.ref.content.m.0", other.digest.string()}};
  test::run(world.context, store.put(target, index.dump(), labels));
  test::run(world.context, ImageStore(world.containerd).put("another.client/image:latest", target));
  world.pull_tag("latest");
  test::run(world.context, lease.release_and_collect());
  const ContentStore content(world.containerd);
  CHECK(test::run(world.context, content.find(other.digest)).has_value());
  CHECK(test::run(world.context, content.find(manifest.digest)).has_value());
}

TEST_CASE("every format of a layer unpacks to the same file system") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  SECTION("tar") { tiny.layer_format = test::LayerFormat::kTar; }
  SECTION("tar+gzip") { tiny.layer_format = test::LayerFormat::kTarGzip; }
  SECTION("tar+zstd") { tiny.layer_format = test::LayerFormat::kTarZstd; }
  tiny.publish(world.registry, "latest");
  const Image image = world.pull_tag("latest");
  std::vector<oci::Digest> diff_ids;
  for (const std::string& tar : tiny.layer_tars) diff_ids.push_back(oci::Digest::of(base::view_of(tar)));
  CHECK(image.chain_id == oci::chain_ids(diff_ids).back());
  const Container container(world.containerd, world.names());
  const ReadonlyMount root(test::run(world.context, container.prepare_snapshot(image.chain_id)));
  CHECK(base::read_text_file(root.path() / "marker", 100) == "second layer\n");
  CHECK(std::filesystem::file_size(root.path() / "bin/busybox") == std::filesystem::file_size("/bin/busybox"));
}

TEST_CASE("whiteouts take away what lies below, and names need not be ASCII") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  const std::string umlaut = "\xc3\xa4\xe2\x82\xac.txt";
  const std::string no_utf8 = "latin1-\xe4";
  tiny.layer_tars.push_back(test::make_tar({{"kept", "kept"},
                                            {"gone", "gone"},
                                            {"opaque/", "", '5'},
                                            {"opaque/below", "below"},
                                            {umlaut, "first"},
                                            {no_utf8, "bytes"}}));
  tiny.layer_tars.push_back(test::make_tar({{".wh.gone", ""},
                                            {".wh.marker", ""},
                                            {".wh.never-was", ""},
                                            {"opaque/", "", '5'},
                                            {"opaque/.wh..wh..opq", ""},
                                            {"opaque/above", "above"},
                                            {umlaut, "second"}}));
  tiny.publish(world.registry, "latest");
  const Image image = world.pull_tag("latest");
  const Container container(world.containerd, world.names());
  const ReadonlyMount root(test::run(world.context, container.prepare_snapshot(image.chain_id)));
  const auto content = [&](const std::string& name) { return base::read_text_file(root.path() / name, 100); };
  CHECK(content("kept") == "kept");
  CHECK(content("opaque/above") == "above");
  CHECK(content(umlaut) == "second");
  CHECK(content(no_utf8) == "bytes");
  for (const char* name : {"gone", "marker", "opaque/below", ".wh.gone", ".wh.marker", "opaque/.wh..wh..opq"}) {
    INFO(name);
    CHECK_FALSE(std::filesystem::exists(root.path() / name));
  }
}

TEST_CASE("a whiteout of /etc/passwd hides it from the lookup of the image's user") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  tiny.layer_tars.push_back(test::make_tar({{"etc/", "", '5'}, {"etc/.wh.passwd", ""}}));
  tiny.publish(world.registry, "latest");
  const Image image = world.pull_tag("latest");
  const Container container(world.containerd, world.names());
  const ReadonlyMount root(test::run(world.context, container.prepare_snapshot(image.chain_id)));
  CHECK_THROWS_AS(resolve_user(root.path(), "user"), base::InvalidInput);
  CHECK(resolve_user(root.path(), "1000").uid == 1000);
}

TEST_CASE("a pull that fails leaves nothing behind") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});

  SECTION("another architecture in the config") {
    tiny.architecture = "s390x";
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("not for linux/amd64"));
  }
  SECTION("a layer that unpacks to something else") {
    tiny.change_config = [](base::Json& config) { config["rootfs"]["diff_ids"][1] = "sha256:" + std::string(64, 'a'); };
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("unpacks to something else"));
  }
  SECTION("fewer diff ids than layers") {
    tiny.change_config = [](base::Json& config) { config["rootfs"]["diff_ids"].erase(1); };
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("not as many"));
  }
  SECTION("an index where a manifest belongs") {
    tiny.change_manifest = [](base::Json& manifest) { manifest["manifests"] = base::Json::array(); };
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("does not belong here"));
  }
  SECTION("a layer that is not there") {
    tiny.change_manifest = [](base::Json& manifest) {
      manifest["layers"][1]["digest"] = "sha256:" + std::string(64, 'b');
    };
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("404"));
  }
  SECTION("a layer that is no archive") {
    const oci::Descriptor junk =
        world.registry.add_blob("application/vnd.oci.image.layer.v1.tar+gzip", "this is neither gzip nor tar");
    tiny.change_manifest = [&](base::Json& manifest) {
      manifest["layers"][1]["digest"] = junk.digest.string();
      manifest["layers"][1]["size"] = junk.size;
    };
    tiny.publish(world.registry, "bad");
    CHECK_THROWS_AS(world.pull_tag("bad"), base::Error);
  }
  SECTION("a layer that unpacks to many times its size") {
    tiny.layer_tars.push_back(test::make_tar({{"zeros", std::string(std::size_t{8} << 20U, '\0')}}));
    tiny.publish(world.registry, "bad");
    world.options.limits.unpacked_floor_bytes = std::size_t{4} << 20U;
    world.options.limits.max_unpack_ratio = 100;
    CHECK_THROWS_WITH(world.pull_tag("bad"), ContainsSubstring("unpacks to more than is accepted"));
  }
  SECTION("a blob with other bytes") {
    tiny.publish(world.registry, "bad");
    int blobs = 0;
    world.registry.fault = [&](const net::HttpServerRequest& request) -> std::optional<net::HttpResponse> {
      if (request.path.find("/blobs/") == std::string::npos || ++blobs != 3) return std::nullopt;
      return net::HttpResponse{200, {}, "other bytes"};
    };
    CHECK_THROWS_AS(world.pull_tag("bad"), oci::RegistryError);
  }
  world.expect_nothing_left();
}

TEST_CASE("a pull survives broken transfers") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  test::TinyImage::busybox({"/bin/busybox"}).publish(world.registry, "latest");
  int answers = 0;
  world.registry.fault = [&](const net::HttpServerRequest&) -> std::optional<net::HttpResponse> {
    if (++answers % 2 == 0) return std::nullopt;
    return net::HttpResponse{503, {}, ""};
  };
  CHECK_NOTHROW(world.pull_tag("latest"));
  CHECK(test::run(world.context, ContentStore(world.containerd).list_ingests()).empty());
}

TEST_CASE("a tag that moves between two fetches gives one image, whole") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto first = test::TinyImage::busybox({"/bin/busybox", "first"});
  auto second = test::TinyImage::busybox({"/bin/busybox", "second"});
  const oci::Descriptor index = first.publish(world.registry, "latest");
  bool moved = false;
  world.registry.fault = [&](const net::HttpServerRequest& request) -> std::optional<net::HttpResponse> {
    if (!moved && request.path.find("manifests/sha256:") != std::string::npos) {
      moved = true;
      second.publish(world.registry, "latest");
    }
    return std::nullopt;
  };
  const Image image = world.pull_tag("latest");
  CHECK(moved);
  CHECK(image.target.digest == index.digest);
  CHECK(image.config.entrypoint.back() == "first");
}

TEST_CASE("a pull that is cancelled half-way leaves nothing behind") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  test::TinyImage::busybox({"/bin/busybox"}).publish(world.registry, "latest");
  asio::cancellation_signal signal;
  int blobs = 0;
  world.registry.fault = [&](const net::HttpServerRequest& request) -> std::optional<net::HttpResponse> {
    if (request.path.find("/blobs/") != std::string::npos && ++blobs == 2) {
      asio::post(world.context, [&] { signal.emit(asio::cancellation_type::terminal); });
    }
    return std::nullopt;
  };
  std::exception_ptr failure;
  std::optional<Image> image;
  auto work = pull(world.client, world.containerd, world.reference("latest"), world.options);
  asio::co_spawn(world.context, test::keep_result(std::move(work), image),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr f) {
                   failure = std::move(f);
                   world.context.stop();
                 }));
  world.context.restart();
  world.context.run();
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  world.expect_nothing_left();
}

TEST_CASE("without containerd a pull fails quickly and asks for a restart") {
  asio::io_context context;
  net::HttpClient http(context.get_executor());
  oci::RegistryClient client(http, {});
  ContainerdClient containerd("/run/cs-launcher-no-such-socket");
  try {
    test::run(context, pull(client, containerd, oci::ImageReference::parse("localhost:1/x", "test")));
    FAIL("no error");
  } catch (const ContainerdError& error) {
    CHECK(error.is_unavailable());
    CHECK(error.action() == base::Action::kRestart);
  }
}

TEST_CASE("layers are unpacked that containerd unpacks") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  const auto call_layers = [&](const char* type) {
    tiny.change_manifest = [type](base::Json& manifest) {
      for (base::Json& layer : manifest["layers"]) layer["mediaType"] = type;
    };
  };
  SECTION("Docker's zstd") {
    tiny.layer_format = test::LayerFormat::kTarZstd;
    call_layers(kZstdOfDocker);
  }
  SECTION("foreign ones that the registry has") { call_layers(kForeign); }
  SECTION("called gzip, and plain") {
    tiny.layer_format = test::LayerFormat::kTar;
    call_layers("application/vnd.oci.image.layer.v1.tar+gzip");
  }
  SECTION("called gzip, and zstd") {
    tiny.layer_format = test::LayerFormat::kTarZstd;
    call_layers("application/vnd.docker.image.rootfs.diff.tar.gzip");
  }
  tiny.publish(world.registry, "latest");
  const Image image = world.pull_tag("latest");
  std::vector<oci::Digest> diff_ids;
  for (const std::string& tar : tiny.layer_tars) diff_ids.push_back(oci::Digest::of(base::view_of(tar)));
  CHECK(image.chain_id == oci::chain_ids(diff_ids).back());
}

TEST_CASE("a foreign layer that the registry does not have is refused with the reason") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  tiny.change_manifest = [](base::Json& manifest) {
    manifest["layers"][1]["mediaType"] = kForeign;
    manifest["layers"][1]["digest"] = "sha256:" + std::string(64, 'b');
    manifest["layers"][1]["urls"] = {"https://elsewhere.example/layer"};
  };
  tiny.publish(world.registry, "latest");
  CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("foreign (non-distributable) layer"));
  world.expect_nothing_left();
}

TEST_CASE("a pull first removes what one that was killed has left") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  test::TinyImage::busybox({"/bin/busybox"}).publish(world.registry, "latest");
  const Lease killed = test::run(world.context, Lease::create(world.containerd));
  const std::string bytes = "of the killed launch";
  const oci::Descriptor blob{"x", oci::Digest::of(base::view_of(bytes)), bytes.size()};
  test::run(world.context, ContentStore(killed.client()).put(blob, bytes, {}));
  test::run(world.context, ContentStore(killed.client()).open(new_ingest_ref(), {"x", oci::Digest::of({}), 1}));
  test::run(world.context, Snapshotter(killed.client(), world.options.snapshotter).prepare("extract-x", "", {}));
  world.pull_tag("latest");
  CHECK(test::run(world.context, Lease::list(world.containerd)).empty());
  CHECK(test::run(world.context, ContentStore(world.containerd).list_ingests()).empty());
  CHECK_FALSE(test::run(world.context, ContentStore(world.containerd).find(blob.digest)));
  CHECK(test::run(world.context, Snapshotter(world.containerd, world.options.snapshotter).list()).size() == 2);
}

TEST_CASE("a pull is cancelled within a bound wherever containerd hangs") {
  for (const char* method :
       {"Leases/List", "Content/ListStatuses", "Leases/Create", "Snapshots/Stat", "Snapshots/Prepare", "Diff/Apply"}) {
    INFO(method);
    CHECK(cancel_where_containerd_hangs(method, kCleanUpPatience) <= kCleanUpPatience);
  }
  for (const char* method : {"Images/Create", "Leases/Delete"}) {
    INFO(method);
    CHECK(cancel_where_containerd_hangs(method, kCleanUpPatience, true) <= kCleanUpPatience);
  }
  // A stream is given the time to end in order. As kPullUnwinding, with the patience of this test's pulls.
  for (const char* method : {"Content/Read", "Content/Write"}) {
    INFO(method);
    CHECK(cancel_where_containerd_hangs(method, kUnwantedCallPatience) <= 2 * kUnwantedCallPatience + kCleanUpPatience);
  }
}

}  // namespace launcher
