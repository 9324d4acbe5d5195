#include "launcher/containerd/task.h"

#include <github.com/containerd/containerd/api/services/tasks/v1/tasks.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace tasks_api = ::containerd::services::tasks::v1;
using TasksAsync = tasks_api::Tasks::StubInterface::async_interface;
using google::protobuf::Empty;

}  // namespace

base::Awaitable<std::uint32_t> TaskService::create(std::string container_id, std::vector<Mount> rootfs,
                                                   TaskOutput output) const {
  tasks_api::CreateTaskRequest request;
  request.set_container_id(container_id);
  for (const Mount& mount : rootfs) *request.add_rootfs() = rpc::to_message(mount);
  request.set_stdout(output.stdout_path);
  request.set_stderr(output.stderr_path);
  const auto response =
      co_await rpc::unary<tasks_api::Tasks, tasks_api::CreateTaskRequest, tasks_api::CreateTaskResponse>(
          client_, "task create", &TasksAsync::Create, request);
  co_return response.pid();
}

base::Awaitable<std::uint32_t> TaskService::start(std::string container_id) const {
  tasks_api::StartRequest request;
  request.set_container_id(container_id);
  const auto response = co_await rpc::unary<tasks_api::Tasks, tasks_api::StartRequest, tasks_api::StartResponse>(
      client_, "task start", &TasksAsync::Start, request);
  co_return response.pid();
}

base::Awaitable<std::uint32_t> TaskService::wait(std::string container_id, base::Milliseconds timeout) const {
  tasks_api::WaitRequest request;
  request.set_container_id(container_id);
  const auto response = co_await rpc::unary<tasks_api::Tasks, tasks_api::WaitRequest, tasks_api::WaitResponse>(
      client_, "task wait", &TasksAsync::Wait, request, timeout);
  co_return response.exit_status();
}

base::Awaitable<void> TaskService::kill(std::string container_id, std::uint32_t signal) const {
  tasks_api::KillRequest request;
  request.set_container_id(container_id);
  request.set_signal(signal);
  try {
    co_await rpc::unary<tasks_api::Tasks, tasks_api::KillRequest, Empty>(client_, "task kill", &TasksAsync::Kill,
                                                                         request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<void> TaskService::remove(std::string container_id) const {
  tasks_api::DeleteTaskRequest request;
  request.set_container_id(container_id);
  try {
    co_await rpc::unary<tasks_api::Tasks, tasks_api::DeleteTaskRequest, tasks_api::DeleteResponse>(
        client_, "task delete", &TasksAsync::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<bool> TaskService::exists(std::string container_id) const {
  tasks_api::GetRequest request;
  request.set_container_id(container_id);
  try {
    co_await rpc::unary<tasks_api::Tasks, tasks_api::GetRequest, tasks_api::GetResponse>(client_, "task get",
                                                                                         &TasksAsync::Get, request);
    co_return true;
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return false;
}

}  // namespace launcher
