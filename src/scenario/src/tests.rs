use anatomy::tissue::TissueTable;

use super::*;

#[test]
fn the_built_in_scenarios_are_sound() {
    for id in Scenario::builtin_ids() {
        let scenario = Scenario::builtin(id).unwrap();
        assert_eq!(scenario.id, id);
        let again = Scenario::parse(&scenario.text, &scenario.source).unwrap();
        assert_eq!(again, scenario);
    }
}

#[test]
fn the_built_in_patients_have_what_the_built_in_scenarios_ask_for() {
    let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
    for scenario in Scenario::builtin_ids().filter_map(Scenario::builtin) {
        let PatientRef::Builtin(recipe) = &scenario.patient else {
            panic!("{}: {:?}", scenario.id, scenario.patient);
        };
        let recipe = Recipe::builtin(recipe).unwrap();
        let patient = recipe.make(atlas, tissues, &anatomy::Silent).unwrap();
        assert_eq!(scenario.check_patient(&patient), Ok(()));
    }
}
