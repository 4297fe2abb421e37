"""Talk that needs no picture: greetings, what the model can do, what it cannot."""

from __future__ import annotations

import random

from .grammar import worded
from .turns import Turn

# Kind of talk: ways to begin it, and ways to answer.
_TALK: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("Hello!", "Hi!", "Hello", "Hi there!", "Hey!", "Good morning!", "Good evening!", "hi", "hey", "Hello there"),
        ("Hello! What would you like to know about the picture?", "Hi! Ask me anything about the picture.", "Hello! How can I help you?"),
    ),
    (
        ("How are you?", "How are you doing?", "How is it going?", "How do you feel?", "Are you okay?"),
        ("I am fine, thank you. Shall we look at a picture?", "I am doing well, thank you."),
    ),
    (
        ("Who are you?", "What are you?", "What is your name?", "Are you a robot?", "Are you human?", "Tell me about yourself.", "Are you an AI?"),
        ("I am a small model that talks about simple drawn scenes.", "I am a small vision model. I can talk about drawn scenes."),
    ),
    (
        ("What can you do?", "How can you help me?", "What can I ask you?", "What are you able to do?", "Help", "help me", "What do you know?", "Give me an example question."),
        (
            "I can name the objects in a drawn scene, count them, and tell you their colors and places.",
            "You can ask me what is in the picture, how many objects there are, what color they have and where they are.",
        ),
    ),
    (
        ("What can't you do?", "What are your limits?", "Can you see real photos?", "Do you understand photos?", "Can you look at a photo of my family?", "Do you make mistakes?"),
        ("I have only seen drawn scenes, so I am often wrong about real photos.", "I only know simple drawn scenes. About photos of the real world I will be wrong."),
    ),
    (
        ("How were you trained?", "Who made you?", "Who trained you?", "Where do you come from?", "What were you trained on?"),
        ("I was trained from scratch on drawn scenes.", "I learned from many thousands of drawn scenes."),
    ),
    (
        ("Thanks!", "Thank you!", "Thank you very much.", "thanks", "Thanks a lot!", "Great, thanks.", "thx"),
        ("You are welcome!", "You are welcome. Do you have another question?"),
    ),
    (
        ("Good job!", "Well done!", "Great!", "Nice!", "Cool!", "That is right.", "Correct!", "Very good.", "Wow!", "ok", "Okay."),
        ("Thank you! What else would you like to know?", "Thank you!"),
    ),
    (
        ("That is wrong.", "No, that's not right.", "You are wrong.", "Wrong!", "I don't think so."),
        ("I am sorry. I am a small model and I make mistakes.", "Sorry, I may be wrong about that."),
    ),
    (
        ("Bye!", "Goodbye!", "See you later.", "bye", "Good night!", "See you!"),
        ("Goodbye!", "Goodbye! It was nice to talk to you."),
    ),
    (
        (
            "What time is it?", "What is the weather like?", "Who is the president?", "Write a poem.", "Tell me a joke.", "What is 2 + 2?",
            "What is the capital of France?", "Translate this into German.", "Write some code.", "What is the meaning of life?", "Who won the game?",
            "Can you sing?", "What's the news?", "Write a story about the {pic}.", "Who painted this {pic}?", "When was this {pic} taken?",
            "Where was this taken?", "Who is in the {pic}?", "What is the person doing?", "What brand is it?", "How much does it cost?",
            "What does the text say?", "Read the text in the {pic}.", "Can you draw something?", "What happens next?", "Why is it there?",
            "How old is it?", "Is it real?", "What is the mood of the {pic}?", "Do you like it?", "Which one is your favourite?", "Is it day or night?",
        ),
        (
            "I cannot answer that. I can only talk about objects, numbers, colors and places in a drawn scene.",
            "I do not know. I only know about the objects in a drawn scene, their colors and their places.",
        ),
    ),
)  # fmt: skip

_BLIND_GREETINGS = ("Hello! Attach a picture and ask me about it.", "Hi! Give me a picture and I will tell you what I see.", "Hello! How can I help you?")
BLIND_ANSWERS = (
    "I do not see a picture. Please attach one first.",
    "There is no picture yet. Please attach one and ask me again.",
    "I cannot see any picture. Please give me one first.",
)


def small_talk(random_: random.Random, sighted: bool) -> Turn:
    """A turn of small talk; a greeting asks for a picture when there is none."""
    index = random_.choices(range(len(_TALK)), [1.2] + [1.0] * (len(_TALK) - 2) + [2.5])[0]
    questions, answers = _TALK[index]
    if index == 0 and not sighted:
        answers = _BLIND_GREETINGS
    way = random_.randrange(len(questions))
    return Turn("small talk", questions[way], worded(random_, answers, way // 3), (answers[0][:5],))


def blind(random_: random.Random, question: str) -> Turn:
    """A question about a picture that is not there."""
    return Turn("blind", question, worded(random_, BLIND_ANSWERS, len(question)), ("picture",))
