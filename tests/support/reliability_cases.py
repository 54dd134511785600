"""Every case of the design's reliability.md, sections A, B, E and K: the tests that hold it, or what it waits for.

Held against the design and the tests by tests/house/test_cases.py. No case needs a kernel feature or a device: lines
that fail are functions or sockets of the test, so nothing is excluded.
"""

from __future__ import annotations

SECTIONS = {"A": 26, "B": 18, "E": 12, "K": 7}
"""Sections and how many cases each has, counted from 01."""

_IN = "tests/federation/test_hostile_input.py"
_SAID = "tests/federation/test_hostile_statements.py"
_BULK = "tests/federation/test_hostile_bulk.py"
_ASKED = "tests/federation/test_hostile_requests.py"
_LINES = "tests/federation/test_partitions.py"
_SLOW = "tests/federation/test_slow_peers.py"
_WIRE = "tests/http/test_wire_peers.py"
_RESTORE = "tests/federation/test_restore.py"
_FORKS = "tests/federation/test_forks.py"
_HISTORY = "tests/federation/test_hostile_history.py"

CASES: dict[str, list[str]] = {
    "A01": [f"{_IN}::test_a01_only_the_key_that_signed_is_the_author"],
    "A02": [f"{_SAID}::test_a02_a_member_cannot_be_spoken_for"],
    "A03": [f"{_IN}::test_a03_no_flipped_bit_is_accepted"],
    "A04": [
        f"{_IN}::test_a04_there_is_one_encoding",
        "tests/protocol/test_canonical.py::test_any_bytes_decode_to_what_encodes_back_or_are_refused",
    ],
    "A05": [f"{_SAID}::test_a05_to_a08_poison_between_good_entries"],
    "A06": [
        f"{_SAID}::test_a05_to_a08_poison_between_good_entries",
        f"{_SAID}::test_each_poison_is_refused_for_its_own_sake",
    ],
    "A07": [
        f"{_SAID}::test_a05_to_a08_poison_between_good_entries",
        "tests/protocol/test_canonical.py::test_arrays_nest_to_the_limit_and_no_deeper",
    ],
    "A08": [
        f"{_IN}::test_a08_a_claimed_length_costs_nothing",
        "tests/protocol/test_canonical.py::test_lengths_that_lie_allocate_no_more_than_the_decoder_can_nest",
    ],
    "A09": [
        f"{_WIRE}::test_a09_what_is_packed_is_not_unpacked",
        f"{_SLOW}::test_what_is_packed_stays_packed",
        "tests/protocol/test_bundle.py::test_a_bomb_does_not_unfold",
    ],
    "A10": [
        f"{_WIRE}::test_a10_a_million_chunks_of_one_byte",
        f"{_WIRE}::test_a10_a_chunk_extension_without_an_end",
        f"{_WIRE}::test_a10_no_last_chunk",
        f"{_SLOW}::test_a_million_chunks_cost_no_more_than_their_bytes",
    ],
    "A11": [f"{_WIRE}::test_a11_what_could_be_read_as_two_requests_is_read_as_none"],
    "A12": [f"{_IN}::test_a12_what_is_true_in_one_feed_is_nothing_in_another"],
    "A13": [
        f"{_ASKED}::test_a13_a_captured_request_counts_once",
        f"{_ASKED}::test_a13_a_request_from_the_future_is_not_accepted_again_when_its_nonce_is_forgotten",
        f"{_ASKED}::test_a13_a_clock_set_back_lets_nothing_in_again",
        f"{_ASKED}::test_a13_after_a_restart_what_was_captured_before_is_refused",
        "tests/federation/test_clocks.py::test_a13_a_node_that_started_with_a_dead_clock_takes_nothing_from_before_when_it_is_set",
    ],
    "A14": [
        f"{_IN}::test_a14_a15_signatures_have_one_form",
        "tests/protocol/test_third_party_vectors.py::test_ed25519_of_wycheproof",
        "tests/protocol/test_third_party_vectors.py::test_ed25519_edge_cases_of_cctv",
    ],
    "A15": [
        f"{_IN}::test_a14_a15_signatures_have_one_form",
        "tests/protocol/test_keys.py::test_an_unsound_key_is_not_admitted",
        "tests/protocol/test_keys.py::test_a_signature_of_another_length_does_not_verify",
    ],
    "A16": [f"{_IN}::test_a16_refs_to_nowhere_fetch_nothing"],
    "A17": [f"{_BULK}::test_a17_overlaps_are_skipped_and_gaps_refused"],
    "A18": [f"{_SAID}::test_a18_one_poison_entry_between_two_times_500"],
    "A19": [
        f"{_SAID}::test_a19_what_a_later_version_says_is_kept_and_hidden",
        "tests/federation/test_versions.py::test_a19_what_was_not_understood_appears_after_an_upgrade",
        "tests/federation/test_versions.py::test_a_pledge_that_the_home_could_not_read_is_heard_after_an_upgrade",
    ],
    "A20": [f"{_SAID}::test_a20_ids_cannot_be_squatted"],
    "A21": [
        f"{_SAID}::test_a21_a_giver_cannot_count_for_the_home",
        f"{_SAID}::test_a21_after_64_revisions_it_is_enough",
        f"{_SAID}::test_each_poison_is_refused_for_its_own_sake",
    ],
    "A22": [
        f"{_SAID}::test_a22_what_was_refused_once_is_refused_again_by_every_way",
        "tests/federation/test_hostile_files.py::test_a22_what_is_refused_online_is_refused_by_file",
        "tests/house/test_doors.py::test_only_the_door_is_used",
    ],
    "A23": [
        f"{_SAID}::test_each_poison_is_refused_for_its_own_sake",
        "tests/protocol/test_statements.py::test_a_visible_line_is_judged_by_the_same_rules_however_plain",
        "tests/cli/test_hostile_data.py::*",
    ],
    "A24": [
        "tests/federation/test_dialling.py::test_a24_who_is_reached_at_an_address",
        "tests/federation/test_dialling.py::test_a24_nobody_of_this_machine_is_dialled_for_a_peer",
        "tests/federation/test_dialling.py::test_a24_a_name_is_judged_by_what_it_stands_for_when_it_is_dialled",
        "tests/federation/test_dialling.py::test_a24_what_is_no_endpoint_is_not_even_kept",
        f"{_SLOW}::test_a_redirect_is_not_followed",
    ],
    "A25": [
        "tests/federation/test_fuzz_answers.py::test_spoiled_answers",
        "tests/federation/test_fuzz_answers.py::test_spoiled_requests",
        "tests/federation/test_fuzz_answers.py::test_spoiled_pairing",
        "tests/federation/test_fuzz_answers.py::test_a_few_of_each",
        "tests/protocol/test_bundle.py::test_no_stream_makes_reading_fail_otherwise",
        "tests/protocol/test_entry.py::test_no_bytes_make_reading_an_entry_fail_otherwise",
    ],
    "A26": [
        f"{_IN}::test_a26_proofs_of_other_trees",
        "tests/protocol/test_merkle.py::test_a_damaged_inclusion_proof_is_invalid",
        "tests/protocol/test_merkle.py::test_a_damaged_consistency_proof_is_invalid",
        "tests/protocol/test_third_party_vectors.py::test_merkle_proofs_of_transparency_dev",
    ],
    "B01": [f"{_LINES}::test_b01_random_partitions_of_a_ring_heal", f"{_LINES}::test_b01_at_length"],
    "B02": [f"{_LINES}::test_b02_ten_groups_lose_their_lines_one_by_one_and_get_them_back_in_any_order"],
    "B03": [f"{_LINES}::test_b03_a_line_that_works_one_way_serves_that_way_and_keeps_nobody_busy"],
    "B04": [f"{_LINES}::test_b04_answers_lost_a_thousand_times"],
    "B05": [f"{_LINES}::test_b05_seven_of_ten_questions_arrive_twice"],
    "B06": [
        f"{_SLOW}::test_each_is_given_up_by_its_bound_and_leaves_nothing",
        f"{_SLOW}::test_twenty_at_once_hold_up_nobody_else",
        f"{_SLOW}::test_needs_go_on_arriving_while_three_hostile_peers_are_attached",
    ],
    "B07": [
        f"{_SLOW}::test_each_is_given_up_by_its_bound_and_leaves_nothing",
        f"{_SLOW}::test_the_bounds_of_the_product_are_those_that_were_measured",
    ],
    "B08": [f"{_LINES}::test_b08_a_line_that_breaks_all_the_time_is_resumed_and_never_begun_anew"],
    "B09": [f"{_LINES}::test_b09_of_changed_bytes_nothing_is_accepted_and_all_arrives_later"],
    "B10": [
        "tests/federation/test_concurrent_cases.py::test_case_3_two_groups_fill_the_last_ten_units_at_once",
        "tests/models/test_pledge_model.py::test_two_pledges_up_to_three_never_over_promise",
    ],
    "B11": [
        "tests/domain/test_promises.py::*",
        "tests/federation/test_concurrent_cases.py::test_case_8_duplicates_and_reordering_change_nothing",
    ],
    "B12": [f"{_LINES}::test_b12_fifty_groups", f"{_LINES}::test_b01_at_length"],
    "B13": [
        f"{_BULK}::test_a_flood_of_10_000_entries_is_taken_in_bounded_memory",
        f"{_SLOW}::test_needs_go_on_arriving_while_three_hostile_peers_are_attached",
    ],
    "B14": [
        "tests/federation/test_sharing.py::test_an_ended_agreement_stops_what_was_not_yet_published",
        "tests/federation/test_three_groups.py::test_a_third_group_sees_nothing_of_another_circle",
    ],
    "B15": [f"{_FORKS}::test_what_others_have_seen_signed_shows_as_missing"],
    "B16": [
        f"{_BULK}::test_b16_a_feed_gets_its_share_of_the_disk_and_no_more",
        f"{_BULK}::test_a_flood_of_10_000_entries_is_taken_in_bounded_memory",
    ],
    "B17": [f"{_LINES}::test_b17_sizes_from_elsewhere_skip_nothing", f"{_ASKED}::test_sizes_that_nobody_has"],
    "E01": [
        "tests/federation/test_recovery.py::test_what_was_shared_after_the_backup_comes_back_and_is_said_once",
        "tests/federation/test_recovery.py::test_what_came_back_goes_on_under_the_name_it_had",
    ],
    "E02": [
        "tests/deploy/test_restore_story.py::test_with_no_peer_reachable_an_operator_goes_on_and_the_peer_follows_later",
        "tests/federation/test_begin_anew.py::test_alone_an_operator_goes_on_and_peers_follow",
    ],
    "E03": [
        f"{_FORKS}::test_somebody_with_our_key_is_found_out_and_both_sides_are_told",
        f"{_RESTORE}::test_a_clone_with_its_own_copy_of_the_mark_is_found_out_at_contact",
    ],
    "E04": [
        f"{_RESTORE}::test_a_snapshot_of_home_and_mark_is_found_out_at_first_contact",
        f"{_RESTORE}::test_a_snapshot_is_found_out_by_a_checkpoint_whose_entries_never_arrived",
    ],
    "E05": [
        f"{_FORKS}::test_a_split_view_is_convicted_by_both_within_two_exchanges",
        f"{_FORKS}::test_what_they_prove_a_stranger_can_check",
        "tests/federation/test_thousand_forks.py::test_generated_forks_are_convicted_within_two_exchanges",
    ],
    "E06": [
        f"{_HISTORY}::test_e06_a_smaller_tree_takes_nothing_away",
        f"{_HISTORY}::test_e06_a_smaller_tree_with_another_past_is_a_fork",
    ],
    "E10": [
        "tests/federation/test_erasure.py::test_a_backup_from_before_is_erased_again_before_it_serves",
        "tests/storage/test_person_keys.py::test_an_old_backup_of_the_keys_is_erased_again",
    ],
    "E12": [f"{_FORKS}::test_people_decide_what_to_make_of_it_and_the_proof_stays"],
    "K06": [
        "tests/house/test_secrets.py::test_k06_secrets_are_compared_in_constant_time_or_not_at_all",
        "tests/federation/test_timing.py::test_k06_how_long_a_wrong_nonce_takes_tells_nothing",
    ],
    "K07": [
        "tests/federation/test_clones.py::test_k07_two_copies_of_one_process_draw_different_ids_and_salts",
        "tests/federation/test_clones.py::test_k07_two_copies_of_one_home_say_different_bytes",
    ],
}
"""`file::test`, or `file::*` where every test of a file is about it."""

OPEN: dict[str, str] = {
    "B18": "rotation",
    "E07": "backups",
    "E08": "backups",
    "E09": "backups",
    "E11": "restore",
    "K01": "rotation",
    "K02": "rotation",
    "K03": "rotation",
    "K04": "rotation",
    "K05": "rotation",
}
"""Cases whose feature is being built. Whoever finishes it moves its cases up, with their tests."""

FEATURES_BEING_BUILT = {"backups", "restore", "rotation"}
