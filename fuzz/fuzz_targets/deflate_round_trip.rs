#![cfg_attr(fuzzing, no_main)]

longwire_fuzz::target!(deflate::deflate_round_trip);
