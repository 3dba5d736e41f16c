#pragma once

#include "core/server/api/api_context.h"
#include "core/server/api/router.h"
#include "core/server/transport/http_types.h"

/// The resources under /hearth/v1: see Controller in router.h; the contract is ui/web/API.md.
namespace hearth::api {

#define HEARTH_CONTROLLER(name) void name(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments)
HEARTH_CONTROLLER(getSession);
HEARTH_CONTROLLER(postSession);
HEARTH_CONTROLLER(deleteSession);
HEARTH_CONTROLLER(getInvitation);
HEARTH_CONTROLLER(acceptInvitation);
HEARTH_CONTROLLER(getAccount);
HEARTH_CONTROLLER(postPassword);
HEARTH_CONTROLLER(deleteOtherSessions);
HEARTH_CONTROLLER(exportAccount);
HEARTH_CONTROLLER(deleteAccount);
HEARTH_CONTROLLER(getOwnUsage);

HEARTH_CONTROLLER(listKeys);
HEARTH_CONTROLLER(postKey);
HEARTH_CONTROLLER(rotateKey);
HEARTH_CONTROLLER(deleteKey);

HEARTH_CONTROLLER(listConversations);
HEARTH_CONTROLLER(postConversation);
HEARTH_CONTROLLER(getConversation);
HEARTH_CONTROLLER(patchConversation);
HEARTH_CONTROLLER(deleteConversation);
HEARTH_CONTROLLER(postMessage);
HEARTH_CONTROLLER(regenerateMessage);
HEARTH_CONTROLLER(stopReply);

HEARTH_CONTROLLER(listUsers);
HEARTH_CONTROLLER(postUser);
HEARTH_CONTROLLER(patchUser);
HEARTH_CONTROLLER(deleteUser);
HEARTH_CONTROLLER(inviteUser);
HEARTH_CONTROLLER(listInvitations);
HEARTH_CONTROLLER(postInvitation);
HEARTH_CONTROLLER(deleteInvitation);
HEARTH_CONTROLLER(listGroups);
HEARTH_CONTROLLER(postGroup);
HEARTH_CONTROLLER(patchGroup);
HEARTH_CONTROLLER(deleteGroup);

HEARTH_CONTROLLER(listQuotas);
HEARTH_CONTROLLER(putQuota);
HEARTH_CONTROLLER(getUsage);
HEARTH_CONTROLLER(getTeamLoad);
HEARTH_CONTROLLER(listAudit);
HEARTH_CONTROLLER(verifyAudit);
HEARTH_CONTROLLER(exportAudit);
#undef HEARTH_CONTROLLER

}  // namespace hearth::api
