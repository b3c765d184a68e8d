#![cfg_attr(fuzzing, no_main)]

longwire_fuzz::target!(history::history);
