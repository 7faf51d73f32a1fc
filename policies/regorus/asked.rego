# How the engine in our own process is asked (adapters/regorus.py): the policy comes with the question, so one
# prepared engine answers for every policy. Data of its own would have to be prepared anew, which takes long.

asked_answer := its if its := answer with input as input.asked with data.bundle as input.policy
