# The pages of the handbook, one for each code.
page-index = Codes
    .what = What a number means that a mail server gave. Paste it into postrider explain, or look here. The fifteen that people ask about most come first.
page-index-fifteen = The fifteen
page-index-enhanced = Enhanced status codes (X is 2, 4 or 5: done, not now, not at all)
page-index-replies = Replies of three digits
page-sender = What a good sending server does
page-causes = What may be behind it
page-no-causes = What may be behind it
    .what = The code alone does not tell; the text beside it decides.
page-spellings = Spellings that people paste
page-other = The same digits in another list
    .what = Old pages spell replies of three digits with dots, so that the same digits may mean two things. The text beside them decides.
page-replies = Goes with the replies
page-standard = Standard
page-reads-as = No server sends these three digits
    .what = They are found on old help pages and in some mail programs, and stand for { $code }.
page-try = Ask it yourself
