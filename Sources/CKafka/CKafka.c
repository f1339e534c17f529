#include "CKafka.h"
#include "producev.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* name, result, parameters, arguments: for functions with a result, and for those without. */
#define FUNCTIONS(F, P) \
    F(rd_kafka_version, int, (void), ())                                                          \
    F(rd_kafka_version_str, const char *, (void), ())                                             \
    F(rd_kafka_err2str, const char *, (rd_kafka_resp_err_t a), (a))                               \
    F(rd_kafka_err2name, const char *, (rd_kafka_resp_err_t a), (a))                              \
    F(rd_kafka_error_code, rd_kafka_resp_err_t, (const rd_kafka_error_t *a), (a))                 \
    F(rd_kafka_error_string, const char *, (const rd_kafka_error_t *a), (a))                      \
    F(rd_kafka_error_is_fatal, int, (const rd_kafka_error_t *a), (a))                             \
    F(rd_kafka_error_is_retriable, int, (const rd_kafka_error_t *a), (a))                         \
    F(rd_kafka_error_txn_requires_abort, int, (const rd_kafka_error_t *a), (a))                   \
    P(rd_kafka_error_destroy, (rd_kafka_error_t *a), (a))                                         \
    F(rd_kafka_conf_new, rd_kafka_conf_t *, (void), ())                                           \
    P(rd_kafka_conf_destroy, (rd_kafka_conf_t *a), (a))                                           \
    F(rd_kafka_conf_set, rd_kafka_conf_res_t, (rd_kafka_conf_t *a, const char *b,                 \
      const char *c, char *d, size_t e), (a, b, c, d, e))                                         \
    F(rd_kafka_conf_get, rd_kafka_conf_res_t, (const rd_kafka_conf_t *a, const char *b,           \
      char *c, size_t *d), (a, b, c, d))                                                          \
    P(rd_kafka_conf_set_dr_msg_cb, (rd_kafka_conf_t *a, void (*b)(rd_kafka_t *,                   \
      const rd_kafka_message_t *, void *)), (a, b))                                               \
    P(rd_kafka_conf_set_error_cb, (rd_kafka_conf_t *a, void (*b)(rd_kafka_t *, int,               \
      const char *, void *)), (a, b))                                                             \
    P(rd_kafka_conf_set_log_cb, (rd_kafka_conf_t *a, void (*b)(const rd_kafka_t *, int,           \
      const char *, const char *)), (a, b))                                                       \
    P(rd_kafka_conf_set_stats_cb, (rd_kafka_conf_t *a, int (*b)(rd_kafka_t *, char *, size_t,     \
      void *)), (a, b))                                                                           \
    P(rd_kafka_conf_set_opaque, (rd_kafka_conf_t *a, void *b), (a, b))                            \
    P(rd_kafka_conf_properties_show, (FILE *a), (a))                                              \
    F(rd_kafka_new, rd_kafka_t *, (rd_kafka_type_t a, rd_kafka_conf_t *b, char *c, size_t d),     \
      (a, b, c, d))                                                                               \
    P(rd_kafka_destroy, (rd_kafka_t *a), (a))                                                     \
    P(rd_kafka_destroy_flags, (rd_kafka_t *a, int b), (a, b))                                     \
    F(rd_kafka_name, const char *, (const rd_kafka_t *a), (a))                                    \
    F(rd_kafka_opaque, void *, (const rd_kafka_t *a), (a))                                        \
    F(rd_kafka_poll, int, (rd_kafka_t *a, int b), (a, b))                                         \
    F(rd_kafka_flush, rd_kafka_resp_err_t, (rd_kafka_t *a, int b), (a, b))                        \
    F(rd_kafka_purge, rd_kafka_resp_err_t, (rd_kafka_t *a, int b), (a, b))                        \
    F(rd_kafka_outq_len, int, (rd_kafka_t *a), (a))                                               \
    F(rd_kafka_fatal_error, rd_kafka_resp_err_t, (rd_kafka_t *a, char *b, size_t c), (a, b, c))   \
    F(rd_kafka_last_error, rd_kafka_resp_err_t, (void), ())                                       \
    F(rd_kafka_clusterid, char *, (rd_kafka_t *a, int b), (a, b))                                 \
    P(rd_kafka_mem_free, (rd_kafka_t *a, void *b), (a, b))                                        \
    F(rd_kafka_topic_new, rd_kafka_topic_t *, (rd_kafka_t *a, const char *b,                      \
      rd_kafka_topic_conf_t *c), (a, b, c))                                                       \
    P(rd_kafka_topic_destroy, (rd_kafka_topic_t *a), (a))                                         \
    F(rd_kafka_topic_name, const char *, (const rd_kafka_topic_t *a), (a))                        \
    F(rd_kafka_topic_conf_new, rd_kafka_topic_conf_t *, (void), ())                               \
    F(rd_kafka_topic_conf_set, rd_kafka_conf_res_t, (rd_kafka_topic_conf_t *a, const char *b,     \
      const char *c, char *d, size_t e), (a, b, c, d, e))                                         \
    P(rd_kafka_topic_conf_destroy, (rd_kafka_topic_conf_t *a), (a))                               \
    F(rd_kafka_init_transactions, rd_kafka_error_t *, (rd_kafka_t *a, int b), (a, b))             \
    F(rd_kafka_begin_transaction, rd_kafka_error_t *, (rd_kafka_t *a), (a))                       \
    F(rd_kafka_commit_transaction, rd_kafka_error_t *, (rd_kafka_t *a, int b), (a, b))            \
    F(rd_kafka_abort_transaction, rd_kafka_error_t *, (rd_kafka_t *a, int b), (a, b))             \
    F(rd_kafka_send_offsets_to_transaction, rd_kafka_error_t *, (rd_kafka_t *a,                   \
      const rd_kafka_topic_partition_list_t *b, const rd_kafka_consumer_group_metadata_t *c,      \
      int d), (a, b, c, d))                                                                       \
    F(rd_kafka_consumer_group_metadata_new, rd_kafka_consumer_group_metadata_t *,                 \
      (const char *a), (a))                                                                       \
    P(rd_kafka_consumer_group_metadata_destroy, (rd_kafka_consumer_group_metadata_t *a), (a))     \
    F(rd_kafka_topic_partition_list_new, rd_kafka_topic_partition_list_t *, (int a), (a))         \
    P(rd_kafka_topic_partition_list_destroy, (rd_kafka_topic_partition_list_t *a), (a))           \
    F(rd_kafka_topic_partition_list_add, rd_kafka_topic_partition_t *,                            \
      (rd_kafka_topic_partition_list_t *a, const char *b, int32_t c), (a, b, c))                  \
    F(rd_kafka_consume_start_queue, int, (rd_kafka_topic_t *a, int32_t b, int64_t c,              \
      rd_kafka_queue_t *d), (a, b, c, d))                                                         \
    F(rd_kafka_consume_stop, int, (rd_kafka_topic_t *a, int32_t b), (a, b))                       \
    F(rd_kafka_seek, rd_kafka_resp_err_t, (rd_kafka_topic_t *a, int32_t b, int64_t c, int d),     \
      (a, b, c, d))                                                                               \
    F(rd_kafka_consume_batch_queue, ssize_t, (rd_kafka_queue_t *a, int b,                         \
      rd_kafka_message_t **c, size_t d), (a, b, c, d))                                            \
    F(rd_kafka_consume_queue, rd_kafka_message_t *, (rd_kafka_queue_t *a, int b), (a, b))         \
    P(rd_kafka_message_destroy, (rd_kafka_message_t *a), (a))                                     \
    F(rd_kafka_message_headers, rd_kafka_resp_err_t, (const rd_kafka_message_t *a,                \
      rd_kafka_headers_t **b), (a, b))                                                            \
    F(rd_kafka_message_timestamp, int64_t, (const rd_kafka_message_t *a,                          \
      rd_kafka_timestamp_type_t *b), (a, b))                                                      \
    F(rd_kafka_message_errstr, const char *, (const rd_kafka_message_t *a), (a))                  \
    F(rd_kafka_header_get_all, rd_kafka_resp_err_t, (const rd_kafka_headers_t *a, size_t b,       \
      const char **c, const void **d, size_t *e), (a, b, c, d, e))                                \
    F(rd_kafka_headers_new, rd_kafka_headers_t *, (size_t a), (a))                                \
    P(rd_kafka_headers_destroy, (rd_kafka_headers_t *a), (a))                                     \
    F(rd_kafka_header_add, rd_kafka_resp_err_t, (rd_kafka_headers_t *a, const char *b,            \
      ssize_t c, const void *d, ssize_t e), (a, b, c, d, e))                                      \
    F(rd_kafka_header_cnt, size_t, (const rd_kafka_headers_t *a), (a))                            \
    F(rd_kafka_queue_new, rd_kafka_queue_t *, (rd_kafka_t *a), (a))                               \
    P(rd_kafka_queue_destroy, (rd_kafka_queue_t *a), (a))                                         \
    F(rd_kafka_queue_poll, rd_kafka_event_t *, (rd_kafka_queue_t *a, int b), (a, b))              \
    P(rd_kafka_queue_cb_event_enable, (rd_kafka_queue_t *a, void (*b)(rd_kafka_t *, void *),      \
      void *c), (a, b, c))                                                                        \
    F(rd_kafka_queue_length, size_t, (rd_kafka_queue_t *a), (a))                                  \
    F(rd_kafka_query_watermark_offsets, rd_kafka_resp_err_t, (rd_kafka_t *a, const char *b,       \
      int32_t c, int64_t *d, int64_t *e, int f), (a, b, c, d, e, f))                              \
    F(rd_kafka_get_watermark_offsets, rd_kafka_resp_err_t, (rd_kafka_t *a, const char *b,         \
      int32_t c, int64_t *d, int64_t *e), (a, b, c, d, e))                                        \
    F(rd_kafka_offsets_for_times, rd_kafka_resp_err_t, (rd_kafka_t *a,                            \
      rd_kafka_topic_partition_list_t *b, int c), (a, b, c))                                      \
    F(rd_kafka_metadata, rd_kafka_resp_err_t, (rd_kafka_t *a, int b, rd_kafka_topic_t *c,         \
      const struct rd_kafka_metadata **d, int e), (a, b, c, d, e))                                \
    P(rd_kafka_metadata_destroy, (const struct rd_kafka_metadata *a), (a))                        \
    F(rd_kafka_event_type, rd_kafka_event_type_t, (const rd_kafka_event_t *a), (a))               \
    F(rd_kafka_event_topic_partition_list, rd_kafka_topic_partition_list_t *,                     \
      (rd_kafka_event_t *a), (a))                                                                 \
    P(rd_kafka_conf_set_events, (rd_kafka_conf_t *a, int b), (a, b))                              \
    F(rd_kafka_committed, rd_kafka_resp_err_t, (rd_kafka_t *a,                                    \
      rd_kafka_topic_partition_list_t *b, int c), (a, b, c))                                      \
    F(rd_kafka_commit_queue, rd_kafka_resp_err_t, (rd_kafka_t *a,                                 \
      const rd_kafka_topic_partition_list_t *b, rd_kafka_queue_t *c,                              \
      void (*d)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *),    \
      void *e), (a, b, c, d, e))                                                                  \
    F(rd_kafka_queue_get_consumer, rd_kafka_queue_t *, (rd_kafka_t *a), (a))                      \
    F(rd_kafka_subscribe, rd_kafka_resp_err_t, (rd_kafka_t *a,                                    \
      const rd_kafka_topic_partition_list_t *b), (a, b))                                          \
    F(rd_kafka_incremental_assign, rd_kafka_error_t *, (rd_kafka_t *a,                            \
      const rd_kafka_topic_partition_list_t *b), (a, b))                                          \
    F(rd_kafka_incremental_unassign, rd_kafka_error_t *, (rd_kafka_t *a,                          \
      const rd_kafka_topic_partition_list_t *b), (a, b))                                          \
    F(rd_kafka_assign, rd_kafka_resp_err_t, (rd_kafka_t *a,                                       \
      const rd_kafka_topic_partition_list_t *b), (a, b))                                          \
    F(rd_kafka_assignment_lost, int, (rd_kafka_t *a), (a))                                        \
    F(rd_kafka_rebalance_protocol, const char *, (rd_kafka_t *a), (a))                            \
    F(rd_kafka_memberid, char *, (const rd_kafka_t *a), (a))                                      \
    F(rd_kafka_pause_partitions, rd_kafka_resp_err_t, (rd_kafka_t *a,                             \
      rd_kafka_topic_partition_list_t *b), (a, b))                                                \
    F(rd_kafka_consumer_close_queue, rd_kafka_error_t *, (rd_kafka_t *a, rd_kafka_queue_t *b),    \
      (a, b))                                                                                     \
    F(rd_kafka_consumer_closed, int, (rd_kafka_t *a), (a))                                        \
    F(rd_kafka_event_error, rd_kafka_resp_err_t, (rd_kafka_event_t *a), (a))                      \
    F(rd_kafka_event_error_string, const char *, (rd_kafka_event_t *a), (a))                      \
    P(rd_kafka_event_destroy, (rd_kafka_event_t *a), (a))                                         \
    F(rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_t *, (rd_kafka_t *a,                       \
      rd_kafka_admin_op_t b), (a, b))                                                             \
    P(rd_kafka_AdminOptions_destroy, (rd_kafka_AdminOptions_t *a), (a))                           \
    F(rd_kafka_AdminOptions_set_request_timeout, rd_kafka_resp_err_t,                             \
      (rd_kafka_AdminOptions_t *a, int b, char *c, size_t d), (a, b, c, d))                       \
    F(rd_kafka_AdminOptions_set_operation_timeout, rd_kafka_resp_err_t,                           \
      (rd_kafka_AdminOptions_t *a, int b, char *c, size_t d), (a, b, c, d))                       \
    F(rd_kafka_NewTopic_new, rd_kafka_NewTopic_t *, (const char *a, int b, int c, char *d,        \
      size_t e), (a, b, c, d, e))                                                                 \
    P(rd_kafka_NewTopic_destroy, (rd_kafka_NewTopic_t *a), (a))                                   \
    F(rd_kafka_NewTopic_set_config, rd_kafka_resp_err_t, (rd_kafka_NewTopic_t *a,                 \
      const char *b, const char *c), (a, b, c))                                                   \
    P(rd_kafka_CreateTopics, (rd_kafka_t *a, rd_kafka_NewTopic_t **b, size_t c,                   \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_CreateTopics_result, const rd_kafka_CreateTopics_result_t *,                 \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_CreateTopics_result_topics, const rd_kafka_topic_result_t **,                      \
      (const rd_kafka_CreateTopics_result_t *a, size_t *b), (a, b))                               \
    F(rd_kafka_topic_result_error, rd_kafka_resp_err_t, (const rd_kafka_topic_result_t *a), (a))  \
    F(rd_kafka_topic_result_error_string, const char *, (const rd_kafka_topic_result_t *a), (a))  \
    F(rd_kafka_topic_result_name, const char *, (const rd_kafka_topic_result_t *a), (a))          \
    F(rd_kafka_DeleteTopic_new, rd_kafka_DeleteTopic_t *, (const char *a), (a))                   \
    P(rd_kafka_DeleteTopic_destroy, (rd_kafka_DeleteTopic_t *a), (a))                             \
    P(rd_kafka_DeleteTopics, (rd_kafka_t *a, rd_kafka_DeleteTopic_t **b, size_t c,                \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_DeleteTopics_result, const rd_kafka_DeleteTopics_result_t *,                 \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_DeleteTopics_result_topics, const rd_kafka_topic_result_t **,                      \
      (const rd_kafka_DeleteTopics_result_t *a, size_t *b), (a, b))                               \
    F(rd_kafka_NewPartitions_new, rd_kafka_NewPartitions_t *, (const char *a, size_t b,           \
      char *c, size_t d), (a, b, c, d))                                                           \
    P(rd_kafka_NewPartitions_destroy, (rd_kafka_NewPartitions_t *a), (a))                         \
    P(rd_kafka_CreatePartitions, (rd_kafka_t *a, rd_kafka_NewPartitions_t **b, size_t c,          \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_CreatePartitions_result, const rd_kafka_CreatePartitions_result_t *,         \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_CreatePartitions_result_topics, const rd_kafka_topic_result_t **,                  \
      (const rd_kafka_CreatePartitions_result_t *a, size_t *b), (a, b))                           \
    F(rd_kafka_ConfigResource_new, rd_kafka_ConfigResource_t *, (rd_kafka_ResourceType_t a,       \
      const char *b), (a, b))                                                                     \
    P(rd_kafka_ConfigResource_destroy, (rd_kafka_ConfigResource_t *a), (a))                       \
    F(rd_kafka_ConfigResource_set_config, rd_kafka_resp_err_t, (rd_kafka_ConfigResource_t *a,     \
      const char *b, const char *c), (a, b, c))                                                   \
    F(rd_kafka_ConfigResource_configs, const rd_kafka_ConfigEntry_t **,                           \
      (const rd_kafka_ConfigResource_t *a, size_t *b), (a, b))                                    \
    F(rd_kafka_ConfigResource_error, rd_kafka_resp_err_t, (const rd_kafka_ConfigResource_t *a),   \
      (a))                                                                                        \
    F(rd_kafka_ConfigResource_error_string, const char *, (const rd_kafka_ConfigResource_t *a),   \
      (a))                                                                                        \
    F(rd_kafka_ConfigEntry_name, const char *, (const rd_kafka_ConfigEntry_t *a), (a))            \
    F(rd_kafka_ConfigEntry_value, const char *, (const rd_kafka_ConfigEntry_t *a), (a))           \
    F(rd_kafka_ConfigEntry_source, rd_kafka_ConfigSource_t, (const rd_kafka_ConfigEntry_t *a),    \
      (a))                                                                                        \
    F(rd_kafka_ConfigEntry_is_read_only, int, (const rd_kafka_ConfigEntry_t *a), (a))             \
    F(rd_kafka_ConfigEntry_is_sensitive, int, (const rd_kafka_ConfigEntry_t *a), (a))             \
    F(rd_kafka_ConfigEntry_is_default, int, (const rd_kafka_ConfigEntry_t *a), (a))               \
    P(rd_kafka_DescribeConfigs, (rd_kafka_t *a, rd_kafka_ConfigResource_t **b, size_t c,          \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_DescribeConfigs_result, const rd_kafka_DescribeConfigs_result_t *,           \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_DescribeConfigs_result_resources, const rd_kafka_ConfigResource_t **,              \
      (const rd_kafka_DescribeConfigs_result_t *a, size_t *b), (a, b))                            \
    P(rd_kafka_AlterConfigs, (rd_kafka_t *a, rd_kafka_ConfigResource_t **b, size_t c,             \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_AlterConfigs_result, const rd_kafka_AlterConfigs_result_t *,                 \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_AlterConfigs_result_resources, const rd_kafka_ConfigResource_t **,                 \
      (const rd_kafka_AlterConfigs_result_t *a, size_t *b), (a, b))                               \
    P(rd_kafka_ListConsumerGroups, (rd_kafka_t *a, const rd_kafka_AdminOptions_t *b,              \
      rd_kafka_queue_t *c), (a, b, c))                                                            \
    F(rd_kafka_event_ListConsumerGroups_result, const rd_kafka_ListConsumerGroups_result_t *,     \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_ListConsumerGroups_result_valid, const rd_kafka_ConsumerGroupListing_t **,         \
      (const rd_kafka_ListConsumerGroups_result_t *a, size_t *b), (a, b))                         \
    F(rd_kafka_ListConsumerGroups_result_errors, const rd_kafka_error_t **,                       \
      (const rd_kafka_ListConsumerGroups_result_t *a, size_t *b), (a, b))                         \
    F(rd_kafka_ConsumerGroupListing_group_id, const char *,                                       \
      (const rd_kafka_ConsumerGroupListing_t *a), (a))                                            \
    F(rd_kafka_ConsumerGroupListing_state, rd_kafka_consumer_group_state_t,                       \
      (const rd_kafka_ConsumerGroupListing_t *a), (a))                                            \
    F(rd_kafka_consumer_group_state_name, const char *, (rd_kafka_consumer_group_state_t a),      \
      (a))                                                                                        \
    P(rd_kafka_DescribeConsumerGroups, (rd_kafka_t *a, const char **b, size_t c,                  \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_DescribeConsumerGroups_result,                                               \
      const rd_kafka_DescribeConsumerGroups_result_t *, (rd_kafka_event_t *a), (a))               \
    F(rd_kafka_DescribeConsumerGroups_result_groups,                                              \
      const rd_kafka_ConsumerGroupDescription_t **,                                               \
      (const rd_kafka_DescribeConsumerGroups_result_t *a, size_t *b), (a, b))                     \
    F(rd_kafka_ConsumerGroupDescription_group_id, const char *,                                   \
      (const rd_kafka_ConsumerGroupDescription_t *a), (a))                                        \
    F(rd_kafka_ConsumerGroupDescription_error, const rd_kafka_error_t *,                          \
      (const rd_kafka_ConsumerGroupDescription_t *a), (a))                                        \
    F(rd_kafka_ConsumerGroupDescription_state, rd_kafka_consumer_group_state_t,                   \
      (const rd_kafka_ConsumerGroupDescription_t *a), (a))                                        \
    F(rd_kafka_ConsumerGroupDescription_partition_assignor, const char *,                         \
      (const rd_kafka_ConsumerGroupDescription_t *a), (a))                                        \
    F(rd_kafka_ConsumerGroupDescription_member_count, size_t,                                     \
      (const rd_kafka_ConsumerGroupDescription_t *a), (a))                                        \
    F(rd_kafka_ConsumerGroupDescription_member, const rd_kafka_MemberDescription_t *,             \
      (const rd_kafka_ConsumerGroupDescription_t *a, size_t b), (a, b))                           \
    F(rd_kafka_MemberDescription_client_id, const char *,                                         \
      (const rd_kafka_MemberDescription_t *a), (a))                                               \
    F(rd_kafka_MemberDescription_consumer_id, const char *,                                       \
      (const rd_kafka_MemberDescription_t *a), (a))                                               \
    F(rd_kafka_MemberDescription_host, const char *, (const rd_kafka_MemberDescription_t *a),     \
      (a))                                                                                        \
    F(rd_kafka_MemberDescription_group_instance_id, const char *,                                 \
      (const rd_kafka_MemberDescription_t *a), (a))                                               \
    F(rd_kafka_MemberDescription_assignment, const rd_kafka_MemberAssignment_t *,                 \
      (const rd_kafka_MemberDescription_t *a), (a))                                               \
    F(rd_kafka_MemberAssignment_partitions, const rd_kafka_topic_partition_list_t *,              \
      (const rd_kafka_MemberAssignment_t *a), (a))                                                \
    F(rd_kafka_group_result_error, const rd_kafka_error_t *,                                      \
      (const rd_kafka_group_result_t *a), (a))                                                    \
    F(rd_kafka_group_result_name, const char *, (const rd_kafka_group_result_t *a), (a))          \
    F(rd_kafka_group_result_partitions, const rd_kafka_topic_partition_list_t *,                  \
      (const rd_kafka_group_result_t *a), (a))                                                    \
    F(rd_kafka_DeleteConsumerGroupOffsets_new, rd_kafka_DeleteConsumerGroupOffsets_t *,           \
      (const char *a, const rd_kafka_topic_partition_list_t *b), (a, b))                          \
    P(rd_kafka_DeleteConsumerGroupOffsets_destroy, (rd_kafka_DeleteConsumerGroupOffsets_t *a),    \
      (a))                                                                                        \
    P(rd_kafka_DeleteConsumerGroupOffsets, (rd_kafka_t *a,                                        \
      rd_kafka_DeleteConsumerGroupOffsets_t **b, size_t c, const rd_kafka_AdminOptions_t *d,      \
      rd_kafka_queue_t *e), (a, b, c, d, e))                                                      \
    F(rd_kafka_event_DeleteConsumerGroupOffsets_result,                                           \
      const rd_kafka_DeleteConsumerGroupOffsets_result_t *, (rd_kafka_event_t *a), (a))           \
    F(rd_kafka_DeleteConsumerGroupOffsets_result_groups, const rd_kafka_group_result_t **,        \
      (const rd_kafka_DeleteConsumerGroupOffsets_result_t *a, size_t *b), (a, b))                 \
    F(rd_kafka_DeleteGroup_new, rd_kafka_DeleteGroup_t *, (const char *a), (a))                   \
    P(rd_kafka_DeleteGroup_destroy, (rd_kafka_DeleteGroup_t *a), (a))                             \
    P(rd_kafka_DeleteGroups, (rd_kafka_t *a, rd_kafka_DeleteGroup_t **b, size_t c,                \
      const rd_kafka_AdminOptions_t *d, rd_kafka_queue_t *e), (a, b, c, d, e))                    \
    F(rd_kafka_event_DeleteGroups_result, const rd_kafka_DeleteGroups_result_t *,                 \
      (rd_kafka_event_t *a), (a))                                                                 \
    F(rd_kafka_DeleteGroups_result_groups, const rd_kafka_group_result_t **,                      \
      (const rd_kafka_DeleteGroups_result_t *a, size_t *b), (a, b))                               \
    F(rd_kafka_mock_cluster_new, rd_kafka_mock_cluster_t *, (rd_kafka_t *a, int b), (a, b))       \
    P(rd_kafka_mock_cluster_destroy, (rd_kafka_mock_cluster_t *a), (a))                           \
    F(rd_kafka_mock_cluster_bootstraps, const char *, (const rd_kafka_mock_cluster_t *a), (a))    \
    F(rd_kafka_mock_topic_create, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,               \
      const char *b, int c, int d), (a, b, c, d))                                                 \
    P(rd_kafka_mock_push_request_errors_array, (rd_kafka_mock_cluster_t *a, int16_t b,            \
      size_t c, const rd_kafka_resp_err_t *d), (a, b, c, d))                                      \
    P(rd_kafka_mock_clear_request_errors, (rd_kafka_mock_cluster_t *a, int16_t b), (a, b))        \
    F(rd_kafka_mock_partition_set_leader, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,       \
      const char *b, int32_t c, int32_t d), (a, b, c, d))                                         \
    F(rd_kafka_mock_set_apiversion, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,             \
      int16_t b, int16_t c, int16_t d), (a, b, c, d))                                             \
    F(rd_kafka_mock_broker_set_down, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,            \
      int32_t b), (a, b))                                                                         \
    F(rd_kafka_mock_broker_set_up, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,              \
      int32_t b), (a, b))                                                                         \
    F(rd_kafka_mock_broker_set_rtt, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,             \
      int32_t b, int c), (a, b, c))                                                               \
    F(rd_kafka_mock_coordinator_set, rd_kafka_resp_err_t, (rd_kafka_mock_cluster_t *a,            \
      const char *b, const char *c, int32_t d), (a, b, c, d))

#define POINTER(name, ...) __typeof__(&name) name;
static struct {
    FUNCTIONS(POINTER, POINTER)
    /* Newer than the headers may be; all of them are there, or none is used. */
    rd_kafka_error_t *(*add_incremental_config)(rd_kafka_ConfigResource_t *, const char *, int,
                                                const char *);
    void (*incremental_alter)(rd_kafka_t *, rd_kafka_ConfigResource_t **, size_t,
                              const rd_kafka_AdminOptions_t *, rd_kafka_queue_t *);
    const void *(*alter_result)(rd_kafka_event_t *);
    const rd_kafka_ConfigResource_t **(*alter_resources)(const void *, size_t *);
} librdkafka;

rd_kafka_resp_err_t (*mr_kafka_producev)(rd_kafka_t *client, ...);

#define FUNCTION(name, result, parameters, arguments)                                              \
    result name parameters { return librdkafka.name arguments; }
#define PROCEDURE(name, parameters, arguments)                                                     \
    void name parameters { librdkafka.name arguments; }
FUNCTIONS(FUNCTION, PROCEDURE)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;
static char text[512];

static void load(void) {
    const char *file = getenv("MILLRACE_LIBRDKAFKA");
    if (file == NULL || *file == 0) file = "librdkafka.so.1";
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(text, sizeof text, "%s", reason != NULL ? reason : "it cannot be loaded");
        problem = text;
        return;
    }
#define LOOKUP(name, ...)                                                                          \
    if ((librdkafka.name = (__typeof__(librdkafka.name))dlsym(library, #name)) == NULL) {          \
        snprintf(text, sizeof text, "%s is older than version 2.0: it has no %s", file, #name);    \
        problem = text;                                                                            \
        return;                                                                                    \
    }
    FUNCTIONS(LOOKUP, LOOKUP)
    mr_kafka_producev = (__typeof__(mr_kafka_producev))dlsym(library, "rd_kafka_producev");
#define OPTIONAL(field, name)                                                                      \
    librdkafka.field = (__typeof__(librdkafka.field))dlsym(library, name);
    OPTIONAL(add_incremental_config, "rd_kafka_ConfigResource_add_incremental_config")
    OPTIONAL(incremental_alter, "rd_kafka_IncrementalAlterConfigs")
    OPTIONAL(alter_result, "rd_kafka_event_IncrementalAlterConfigs_result")
    OPTIONAL(alter_resources, "rd_kafka_IncrementalAlterConfigs_result_resources")
}

const char *mr_kafka_load(void) {
    pthread_once(&once, load);
    return problem;
}

int mr_kafka_has_incremental_alter(void) {
    return librdkafka.add_incremental_config != NULL && librdkafka.incremental_alter != NULL &&
           librdkafka.alter_result != NULL && librdkafka.alter_resources != NULL;
}

rd_kafka_error_t *mr_kafka_incremental_alter(rd_kafka_t *client, const char *topic,
                                             const char *const *names, const char *const *values,
                                             size_t count, const rd_kafka_AdminOptions_t *options,
                                             rd_kafka_queue_t *queue) {
    enum { set = 0, delete = 1 };
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_error_t *error = NULL;
    for (size_t i = 0; i < count && error == NULL; i++)
        error = librdkafka.add_incremental_config(resource, names[i],
                                                  values[i] != NULL ? set : delete, values[i]);
    if (error == NULL) librdkafka.incremental_alter(client, &resource, 1, options, queue);
    rd_kafka_ConfigResource_destroy(resource);
    return error;
}

rd_kafka_resp_err_t mr_kafka_alter_result(rd_kafka_event_t *event, const char **text) {
    size_t count = 0;
    const void *result = librdkafka.alter_result(event);
    *text = NULL;
    if (result == NULL) return RD_KAFKA_RESP_ERR__BAD_MSG;
    const rd_kafka_ConfigResource_t **resources = librdkafka.alter_resources(result, &count);
    if (count == 0) return RD_KAFKA_RESP_ERR__BAD_MSG;
    *text = rd_kafka_ConfigResource_error_string(resources[0]);
    return rd_kafka_ConfigResource_error(resources[0]);
}
