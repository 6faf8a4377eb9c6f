/**
 * The worker's gRPC side, a thin adapter: one class for each service, translation between messages
 * and domain records, one mapper from errors to statuses, and the process that serves it all.
 */
package dev.graft.server.rpc;
